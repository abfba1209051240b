import {
  MAX_FRUITLESS_PAUSE_MS,
  MIN_REPLICATION_WAIT_MS,
  PAGES_PER_CHECKPOINT,
  REPLICATION_FEED_WAIT_MS,
  REPLICATION_PAGE,
} from '../../limits.js';
import type { FeedPage } from './endpoint.js';

/** When nothing has come for so long, the place is written down. */
export const QUIET_MS = 1_000;
/** While change follows change, what comes within a pause is copied together: the pauses get longer by this … */
const GATHER_STEP_MS = 25;
/** … up to this, which is also how much later a change may come over one session for it. */
export const MAX_GATHER_MS = 250;
const FRUITLESS_PAGES = 50;

/**
 * How often one session writes down its place. That takes three requests to the host, and copying a change two. What is not written down is
 * offered again after a restart. The first page of a session, and the first one after some quiet, is written down at once: so
 * a host that is wiped, or put back to a copy of before, while change follows change is found to be elsewhere than this session.
 */
export class Saving {
  #pages = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** How long to wait for more at the end of the feed. */
  get waitMs(): number {
    return this.#pages > 0 ? QUIET_MS : REPLICATION_FEED_WAIT_MS;
  }

  get isNeeded(): boolean {
    return this.#pages > 0;
  }

  /**
   * @param page was copied
   * @param hasMoved the place behind it is another one than before it
   * @param nowMs by the monotonic clock
   * @returns whether the place is to be written down now
   */
  isDue(page: Pick<FeedPage, 'changes'>, hasMoved: boolean, nowMs = performance.now()): boolean {
    const isQuiet = page.changes.length === 0;
    const isFirst = nowMs - this.#lastMs > QUIET_MS;
    if (!isQuiet) this.#lastMs = nowMs;
    if (hasMoved) this.#pages++;
    return this.#pages > 0 && (isQuiet || isFirst || this.#pages >= PAGES_PER_CHECKPOINT);
  }

  /** It was written down. */
  done(): void {
    this.#pages = 0;
  }
}

/**
 * How long one session rests between two pages. A single change is copied at once; many small ones, one after the other, are
 * gathered. And a feed that brings nothing that is taken, or does not wait when there is nothing, does not keep us busy.
 */
export class Pace {
  #fruitless = 0;
  /** Pages that came soon after each other. */
  #burst = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /**
   * @param gain above 0 when more was taken than refused
   * @param earlyMs how much sooner than it was allowed to the page came
   * @param nowMs by the monotonic clock
   * @returns milliseconds to wait before the next one
   */
  after(page: Pick<FeedPage, 'changes'>, gain: number, earlyMs: number, nowMs = performance.now()): number {
    const { length } = page.changes;
    if (length === 0) return earlyMs > MIN_REPLICATION_WAIT_MS ? MIN_REPLICATION_WAIT_MS : 0;
    this.#fruitless = gain > 0 ? 0 : this.#fruitless + 1;
    this.#burst = nowMs - this.#lastMs > QUIET_MS ? 1 : this.#burst + 1;
    this.#lastMs = nowMs;
    const gatherMs = length < REPLICATION_PAGE ? Math.min(MAX_GATHER_MS, this.#burst * GATHER_STEP_MS) : 0;
    // A replication that lost its place meets many pages of which everything is known.
    if (this.#fruitless < FRUITLESS_PAGES) return gatherMs;
    return Math.max(gatherMs, Math.min(MAX_FRUITLESS_PAUSE_MS, this.#fruitless * 10));
  }
}
