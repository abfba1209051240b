import { MAX_ENROL_REQUESTS_PER_S } from '../limits.js';

/** A bucket that holds the requests of one second, and fills as fast. */
export class RequestPace {
  readonly #clockMs: () => number;
  #left = MAX_ENROL_REQUESTS_PER_S;
  #lastMs: number;

  /** @param clockMs monotonic */
  constructor(clockMs: () => number) {
    this.#clockMs = clockMs;
    this.#lastMs = clockMs();
  }

  /** @returns whether there was one left */
  take(): boolean {
    const nowMs = this.#clockMs();
    const gained = ((nowMs - this.#lastMs) / 1000) * MAX_ENROL_REQUESTS_PER_S;
    this.#left = Math.min(MAX_ENROL_REQUESTS_PER_S, this.#left + gained);
    this.#lastMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
