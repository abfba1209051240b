import type { StripeId, UserId } from '../../chunk/ids.js';

/** Between two looks for sparse stripes. */
export const COMPACT_INTERVAL_MS = 6 * 60 * 60 * 1000;
/** Of the first look after a start, which has other work; and of the next one where a run had more to do, or failed. */
export const COMPACT_RETRY_MS = 10 * 60 * 1000;

/** What the last look found. */
export interface SparseSummary {
  /** Unix time. */
  readonly lookedMs: number;
  readonly stripes: number;
  /** Sealed bytes that are needed of them. */
  readonly liveBytes: number;
  /** And that are not. */
  readonly deadBytes: number;
}

interface Progress {
  nextMs: number;
  found: SparseSummary | undefined;
  triedUntil: StripeId | undefined;
  /** Stripes that nobody needs any more, and that are not given back yet. */
  waiting: number;
}

/** What this process knows of its users' sparse stripes, and when it looks again. */
export class CompactionBook {
  readonly #clock: () => number;
  readonly #users = new Map<UserId, Progress>();
  #isBusy = false;

  /** @param clock Unix time */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock();
  }

  /** A clock that was put back makes it due, too. */
  isDue(user: UserId): boolean {
    const { nextMs } = this.#progressOf(user);
    const restMs = nextMs - this.nowMs;
    return restMs <= 0 || restMs > COMPACT_INTERVAL_MS;
  }

  /** @param afterMs from now on */
  again(user: UserId, afterMs: number): void {
    this.#progressOf(user).nextMs = this.nowMs + afterMs;
  }

  noteFound(user: UserId, found: Omit<SparseSummary, 'lookedMs'>): void {
    this.#progressOf(user).found = { lookedMs: this.nowMs, ...found };
  }

  /** The last stripe, in their order, of those that were tried. Undefined: all of them were. */
  triedUntil(user: UserId): StripeId | undefined {
    return this.#progressOf(user).triedUntil;
  }

  noteTried(user: UserId, until: StripeId | undefined): void {
    this.#progressOf(user).triedUntil = until;
  }

  noteWaiting(user: UserId, moves: number): void {
    this.#progressOf(user).waiting = moves;
  }

  /** Of all users of whom somebody has looked. */
  summaries(): readonly { readonly found: SparseSummary | undefined; readonly waiting: number }[] {
    return [...this.#users.values()].map(({ found, waiting }) => ({ found, waiting }));
  }

  /** One at a time, for each would move what the other moves. @returns undefined while one is under way */
  alone<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    return work().finally(() => {
      this.#isBusy = false;
    });
  }

  #progressOf(user: UserId): Progress {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const fresh = { nextMs: this.nowMs + COMPACT_RETRY_MS, found: undefined, triedUntil: undefined, waiting: 0 };
    this.#users.set(user, fresh);
    return fresh;
  }
}
