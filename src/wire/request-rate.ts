import { MAX_COUNTED_ADDRESSES } from '../limits.js';

const MINUTE_MS = 60_000;

interface Count {
  readonly sinceMs: number;
  requests: number;
}

/** Requests of each address in the present minute. */
export class RequestRate {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, Count>();

  constructor(perMinute: number, nowMs: () => number = Date.now) {
    this.#perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  /** Counts one more. @returns false when it is one too many */
  allows(address: string): boolean {
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
