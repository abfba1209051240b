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

interface Copied {
  readonly gain: number;
  readonly hasMoved: boolean;
  readonly nowMs?: number;
}

/**
 * When one session writes down its place, and how long it rests between two pages.
 *
 * Writing down takes three requests to the host, and copying a change two. What is not written down is offered again after a
 * restart. The first page of a session, and the first one after some quiet, is written down at once: so a host that is wiped,
 * or put back to a copy of before, while change follows change is found to be elsewhere than this session.
 *
 * A single change is copied at once; many small ones, one after the other, are gathered. And a feed that brings nothing that
 * is taken, or does not wait when there is nothing, does not keep us busy.
 */
export class Pace {
  /** Pages since the place was written down. */
  #unsaved = 0;
  #fruitless = 0;
  /** Pages with changes that came soon after each other, and when the last one did. */
  #rush = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Changes of the last page. */
  #changes = 0;

  /** How long to wait for more at the end of the feed. */
  get waitMs(): number {
    return this.#unsaved > 0 ? QUIET_MS : REPLICATION_FEED_WAIT_MS;
  }

  /** Where the session is was written down. */
  get isSaved(): boolean {
    return this.#unsaved === 0;
  }

  /** Whether it is to be written down now. */
  get isDue(): boolean {
    return this.#unsaved > 0 && (this.#changes === 0 || this.#rush === 1 || this.#unsaved >= PAGES_PER_CHECKPOINT);
  }

  /**
   * @param gain above 0 when more of the page was taken than refused
   * @param hasMoved the place behind the page is another one than before it
   * @param nowMs by the monotonic clock
   */
  copied(
    { changes: { length } }: Pick<FeedPage, 'changes'>,
    { gain, hasMoved, nowMs = performance.now() }: Copied,
  ): void {
    this.#changes = length;
    if (hasMoved) this.#unsaved++;
    if (length === 0) return;
    this.#fruitless = gain > 0 ? 0 : this.#fruitless + 1;
    this.#rush = nowMs - this.#lastMs > QUIET_MS ? 1 : this.#rush + 1;
    this.#lastMs = nowMs;
  }

  saved(): void {
    this.#unsaved = 0;
  }

  /**
   * @param earlyMs how much sooner than it was allowed to the last page came
   * @returns milliseconds to wait before the next one
   */
  pauseMs(earlyMs: number): number {
    if (this.#changes === 0) return earlyMs > MIN_REPLICATION_WAIT_MS ? MIN_REPLICATION_WAIT_MS : 0;
    const gatherMs = this.#changes < REPLICATION_PAGE ? Math.min(MAX_GATHER_MS, this.#rush * GATHER_STEP_MS) : 0;
    // A replication that lost its place meets many pages of which everything is known.
    if (this.#fruitless < FRUITLESS_PAGES) return gatherMs;
    return Math.max(gatherMs, Math.min(MAX_FRUITLESS_PAUSE_MS, this.#fruitless * 10));
  }
}
