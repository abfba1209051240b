import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../src/errors.js';
import { timeLimit } from '../../src/time-limit.js';
import type { CampaignNetwork } from '../network/peers.js';

/** What all peers together have mended. */
export type Healed = Readonly<Record<(typeof FIELDS)[number], number>>;

const FIELDS = [
  'healedSegments',
  'healedBytes',
  'healedChunks',
  'adoptedChunks',
  'mendedRows',
  'removedFiles',
  'scrubMovedBytes',
  'replacedChunks',
  'rebuiltChunks',
  'repairMovedBytes',
] as const;

/** Of things, not of bytes; what is tried again and again without success is in none of them. */
const MENDED = [
  'healedSegments',
  'healedChunks',
  'mendedRows',
  'removedFiles',
  'replacedChunks',
  'rebuiltChunks',
] as const;

const INTERVAL_MS = 2_000;
const ANSWER_WITHIN_MS = 5_000;

/**
 * Adds up what the peers count, which they do from zero each time they start: what one has mended since it was last asked and
 * before it is killed is not in it.
 */
export class HealMeter {
  readonly #network: CampaignNetwork;
  readonly #sums = new Map<string, number>();
  readonly #last = new Map<number, Healed>();

  constructor(network: CampaignNetwork) {
    this.#network = network;
  }

  get healed(): Healed {
    return record((field) => this.#sums.get(field) ?? 0);
  }

  /** Grows with everything that is mended. */
  get mended(): number {
    return MENDED.reduce((sum, field) => sum + (this.#sums.get(field) ?? 0), 0);
  }

  /** Until the signal aborts, which is no failure. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.read(signal);
        await sleep(INTERVAL_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async read(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#network.numbers.map((n) => this.#readPeer(n, signal)));
    signal.throwIfAborted();
  }

  async #readPeer(n: number, signal: AbortSignal): Promise<void> {
    using limit = timeLimit(ANSWER_WITHIN_MS, signal);
    try {
      await using client = this.#network.client(n, limit.signal);
      const [scrub, repairs] = [(await client.scrub()).totals, (await client.repairs()).totals];
      this.#add(n, {
        ...scrub,
        scrubMovedBytes: scrub.movedBytes,
        replacedChunks: repairs.chunks,
        rebuiltChunks: repairs.rebuiltChunks,
        repairMovedBytes: repairs.movedBytes,
      });
    } catch (error) {
      // Down or stopped: asked again later.
      if (!StorageError.is(error)) throw error;
    }
  }

  #add(n: number, now: Healed): void {
    const before = this.#last.get(n);
    const isRestarted = before === undefined || FIELDS.some((field) => now[field] < before[field]);
    for (const field of FIELDS) {
      const more = now[field] - (isRestarted ? 0 : before[field]);
      this.#sums.set(field, (this.#sums.get(field) ?? 0) + more);
    }
    this.#last.set(
      n,
      record((field) => now[field]),
    );
  }
}

function record(value: (field: (typeof FIELDS)[number]) => number): Healed {
  return Object.fromEntries(FIELDS.map((field) => [field, value(field)])) as Record<(typeof FIELDS)[number], number>;
}
