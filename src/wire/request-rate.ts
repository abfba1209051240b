import { MAX_COUNTED_ADDRESSES } from '../limits.js';
import { addressBlock } from './address-block.js';

const MINUTE_MS = 60_000;

interface Count {
  readonly sinceMs: number;
  requests: number;
}

/** Requests of each address, as addressBlock counts them, in the present minute. */
export class RequestRate {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, Count>();

  constructor(perMinute: number, nowMs: () => number = Date.now) {
    this.#perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  /** Counts one more. @returns false when it is one too many */
  allows(from: string): boolean {
    const address = addressBlock(from);
    const nowMs = this.#nowMs();
    const known = this.#counts.get(address);
    if (known !== undefined && nowMs - known.sinceMs < MINUTE_MS) {
      known.requests++;
      return known.requests <= this.#perMinute;
    }
    if (this.#counts.size >= MAX_COUNTED_ADDRESSES) this.#counts.clear();
    this.#counts.set(address, { sinceMs: nowMs, requests: 1 });
    return true;
  }
}
