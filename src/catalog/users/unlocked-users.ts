import type { UserId } from '../../chunk/ids.js';
import type { KeyRing } from './key-ring.js';
import type { OpenUser } from './open-user.js';
import type { UserDocument } from './user-document.js';

interface Held {
  readonly open: OpenUser;
  holders: number;
}

/** Users whose keys are in memory: each once, however many sessions hold it, and no longer than the last of them. */
export class UnlockedUsers {
  readonly #open: (user: UserDocument, ring: KeyRing) => Promise<OpenUser>;
  readonly #held = new Map<UserId, Held>();
  readonly #closing = new Map<UserId, Promise<void>>();

  /** @param open is given the keys, to be wiped when what it opens is closed */
  constructor(open: (user: UserDocument, ring: KeyRing) => Promise<OpenUser>) {
    this.#open = open;
  }

  has(user: UserId): boolean {
    return this.#held.has(user);
  }

  get(user: UserId): OpenUser | undefined {
    return this.#held.get(user)?.open;
  }

  /** Not to be called for one user twice at once. @param ring given away: wiped when it is not needed, or no longer */
  async acquire(user: UserDocument, ring: KeyRing): Promise<OpenUser> {
    const id = user.owner;
    // Its database has to be closed before it can be opened again. Whether that went well concerns whoever released it.
    await this.#closing.get(id)?.catch(() => undefined);
    const held = this.#held.get(id);
    if (held !== undefined) {
      if (ring.generation > held.open.ring.generation) held.open.renew(user, ring);
      else ring.wipe();
      held.holders++;
      return held.open;
    }
    try {
      const open = await this.#open(user, ring);
      this.#held.set(id, { open, holders: 1 });
      return open;
    } catch (error) {
      ring.wipe();
      throw error;
    }
  }

  async release(user: UserId): Promise<void> {
    const held = this.#held.get(user);
    if (held === undefined || --held.holders > 0) return;
    this.#held.delete(user);
    const closing = held.open.close();
    this.#closing.set(user, closing);
    try {
      await closing;
    } finally {
      this.#closing.delete(user);
    }
  }
}
