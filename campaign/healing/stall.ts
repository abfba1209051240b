import { StorageError } from '../../src/errors.js';
import type { HealMeter } from './meter.js';

export interface StallOptions {
  /** Without anything that was mended meanwhile. */
  readonly withinMs: number;
  /** However much is mended. */
  readonly mostMs: number;
  readonly signal: AbortSignal;
}

const LOOK_MS = 500;

/** Ends what heals when it gets no further: how long it takes depends on how much is broken, and on the machine. */
export class Stall implements Disposable {
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Ends with the healing, or with `signal` of the options. */
  readonly signal: AbortSignal;

  constructor(meter: Pick<HealMeter, 'mended'>, { withinMs, mostMs, signal }: StallOptions) {
    this.signal = AbortSignal.any([this.#over.signal, signal]);
    const begunMs = performance.now();
    let [mended, sinceMs] = [meter.mended, begunMs];
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      if (meter.mended !== mended) [mended, sinceMs] = [meter.mended, nowMs];
      const isStalled = nowMs - sinceMs > withinMs;
      if (!isStalled && nowMs - begunMs <= mostMs) return;
      const what = isStalled ? 'Nothing more was mended' : 'Not all was mended';
      const seconds = Math.round((isStalled ? withinMs : mostMs) / 1000);
      this.#over.abort(new StorageError('TIMEOUT', `${what} within ${String(seconds)} s.`));
    }, LOOK_MS);
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
