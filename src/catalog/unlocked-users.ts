import type { UserId } from '../chunk/ids.js';
import type { UserKeys } from '../crypto/root-key.js';
import type { UserCatalog } from './user-catalog.js';
import { wipeKeys } from './wipe-keys.js';

interface Held {
  readonly catalog: UserCatalog;
  holders: number;
}

/** Users whose keys are in memory: each once, however many sessions hold it, and no longer than the last of them. */
export class UnlockedUsers {
  readonly #open: (user: UserId, keys: UserKeys) => Promise<UserCatalog>;
  readonly #held = new Map<UserId, Held>();
  readonly #closing = new Map<UserId, Promise<void>>();

  constructor(open: (user: UserId, keys: UserKeys) => Promise<UserCatalog>) {
    this.#open = open;
  }

  has(user: UserId): boolean {
    return this.#held.has(user);
  }

  /** Not to be called for one user twice at once. @param keys given away: wiped when they are not needed, or no longer */
  async acquire(user: UserId, keys: UserKeys): Promise<UserCatalog> {
    // Its database has to be closed before it can be opened again.
    await this.#closing.get(user);
    const held = this.#held.get(user);
    if (held !== undefined) {
      wipeKeys(keys);
      held.holders++;
      return held.catalog;
    }
    try {
      const catalog = await this.#open(user, keys);
      this.#held.set(user, { catalog, holders: 1 });
      return catalog;
    } catch (error) {
      wipeKeys(keys);
      throw error;
    }
  }

  async release(user: UserId): Promise<void> {
    const held = this.#held.get(user);
    if (held === undefined || --held.holders > 0) return;
    this.#held.delete(user);
    const closing = held.catalog.close();
    this.#closing.set(user, closing);
    try {
      await closing;
    } finally {
      this.#closing.delete(user);
    }
  }
}
