import { randomBytes } from 'node:crypto';
import { StorageError } from '../../errors.js';
import { MAX_SESSIONS } from '../../limits.js';

const TOKEN_BYTES = 32;

interface Held<T> {
  readonly value: T;
  readonly background: string;
  lastUsedMs: number;
}

/** Two names of one session, neither of which can be guessed. */
export interface SessionTokens {
  readonly token: string;
  /** For work that nobody asked for just now: it does not keep the session open. */
  readonly background: string;
}

/** What is open, until it was not used for `idleMs`. */
export class Sessions<T> {
  readonly #held = new Map<string, Held<T>>();
  /** Background token → token. */
  readonly #background = new Map<string, string>();
  readonly #idleMs: number;
  readonly #now: () => number;

  constructor(options: { readonly idleMs: number; readonly now: () => number }) {
    this.#idleMs = options.idleMs;
    this.#now = options.now;
  }

  /** @throws StorageError LIMIT_EXCEEDED */
  add(value: T): SessionTokens {
    if (this.#held.size >= MAX_SESSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', 'Too many sessions are unlocked at this peer. Lock some first.');
    }
    const token = randomBytes(TOKEN_BYTES).toString('hex');
    const background = randomBytes(TOKEN_BYTES).toString('hex');
    this.#held.set(token, { value, background, lastUsedMs: this.#now() });
    this.#background.set(background, token);
    return { token, background };
  }

  /** @param token either of a session's two @throws StorageError LOCKED */
  use(token: string): T {
    const held = this.#find(token);
    if (held === undefined || this.#isIdle(held)) {
      throw new StorageError('LOCKED', 'The session has ended. Unlock the user first.');
    }
    if (held.background !== token) held.lastUsedMs = this.#now();
    return held.value;
  }

  /** Whether `use` would find it; no use by itself. */
  isOpen(token: string): boolean {
    const held = this.#find(token);
    return held !== undefined && !this.#isIdle(held);
  }

  /** @param token either of a session's two */
  remove(token: string): T | undefined {
    const name = this.#background.get(token) ?? token;
    const held = this.#held.get(name);
    this.#drop(name);
    return held?.value;
  }

  all(): T[] {
    return [...this.#held.values()].map(({ value }) => value);
  }

  /** Takes out those that have expired. */
  expire(): T[] {
    return this.#take((held) => this.#isIdle(held));
  }

  /** Takes out those that `isMeant` says; @param except either token of one that stays */
  removeAll(isMeant: (value: T) => boolean, except?: string): T[] {
    const kept = except === undefined ? undefined : this.#find(except);
    return this.#take((held) => held !== kept && isMeant(held.value));
  }

  /** Takes out all. */
  clear(): T[] {
    return this.#take(() => true);
  }

  #find(token: string): Held<T> | undefined {
    return this.#held.get(this.#background.get(token) ?? token);
  }

  #take(isMeant: (held: Held<T>) => boolean): T[] {
    const found = [...this.#held].filter(([, held]) => isMeant(held));
    for (const [token] of found) this.#drop(token);
    return found.map(([, { value }]) => value);
  }

  #drop(token: string): void {
    const held = this.#held.get(token);
    if (held !== undefined) this.#background.delete(held.background);
    this.#held.delete(token);
  }

  #isIdle(held: Held<T>): boolean {
    return this.#now() - held.lastUsedMs >= this.#idleMs;
  }
}
