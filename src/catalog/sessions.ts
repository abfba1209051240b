import { randomBytes } from 'node:crypto';
import { StorageError } from '../errors.js';
import { MAX_SESSIONS } from '../limits.js';

const TOKEN_BYTES = 32;

interface Held<T> {
  readonly value: T;
  lastUsedMs: number;
}

/** What is open, by a token that cannot be guessed, until it was not used for `idleMs`. */
export class Sessions<T> {
  readonly #held = new Map<string, Held<T>>();
  readonly #idleMs: number;
  readonly #now: () => number;

  constructor(options: { readonly idleMs: number; readonly now: () => number }) {
    this.#idleMs = options.idleMs;
    this.#now = options.now;
  }

  /** @throws StorageError LIMIT_EXCEEDED */
  add(value: T): string {
    if (this.#held.size >= MAX_SESSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', 'Too many sessions are unlocked at this peer. Lock some first.');
    }
    const token = randomBytes(TOKEN_BYTES).toString('hex');
    this.#held.set(token, { value, lastUsedMs: this.#now() });
    return token;
  }

  /** @throws StorageError LOCKED */
  use(token: string): T {
    const held = this.#held.get(token);
    if (held === undefined || this.#isIdle(held)) {
      throw new StorageError('LOCKED', 'The session has ended. Unlock the user first.');
    }
    held.lastUsedMs = this.#now();
    return held.value;
  }

  remove(token: string): T | undefined {
    const held = this.#held.get(token);
    this.#held.delete(token);
    return held?.value;
  }

  /** Takes out those that have expired. */
  expire(): T[] {
    const idle = [...this.#held].filter(([, held]) => this.#isIdle(held));
    for (const [token] of idle) this.#held.delete(token);
    return idle.map(([, { value }]) => value);
  }

  /** Takes out all. */
  clear(): T[] {
    const values = [...this.#held.values()].map(({ value }) => value);
    this.#held.clear();
    return values;
  }

  #isIdle(held: Held<T>): boolean {
    return this.#now() - held.lastUsedMs >= this.#idleMs;
  }
}
