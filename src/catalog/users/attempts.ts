import { StorageError } from '../../errors.js';
import { FREE_UNLOCK_ATTEMPTS, MAX_REMEMBERED_NAMES, MAX_UNLOCK_WAIT_MS, MIN_UNLOCK_WAIT_MS } from '../../limits.js';

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/**
 * Wrong passphrases by user name, whether there is such a user or not. The first few are free; after that each failure
 * doubles the time until the next attempt, which is refused without being tried.
 */
export class UnlockAttempts {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws StorageError UNAVAILABLE when it is too early */
  check(name: string): void {
    const leftMs = this.waitMs(name);
    if (leftMs <= 0) return;
    throw new StorageError(
      'UNAVAILABLE',
      `Too many wrong passphrases for ${name}. Try again in ${String(Math.ceil(leftMs / 1000))} s.`,
    );
  }

  /** How long until the next attempt, in milliseconds; 0 or less: now. */
  waitMs(name: string): number {
    const failures = this.#failures.get(name);
    if (failures === undefined || failures.count < FREE_UNLOCK_ATTEMPTS) return 0;
    const doubled = MIN_UNLOCK_WAIT_MS * 2 ** (failures.count - FREE_UNLOCK_ATTEMPTS);
    return failures.lastMs + Math.min(doubled, MAX_UNLOCK_WAIT_MS) - this.#now();
  }

  failed(name: string): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    this.#failures.delete(name);
    const [longestQuiet] = this.#failures.keys();
    if (this.#failures.size >= MAX_REMEMBERED_NAMES && longestQuiet !== undefined) this.#failures.delete(longestQuiet);
    this.#failures.set(name, { count, lastMs: this.#now() });
  }

  succeeded(name: string): void {
    this.#failures.delete(name);
  }
}
