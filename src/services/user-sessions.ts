import type { Catalog, Session, UserSummary } from '../catalog/catalog.js';
import { StorageError } from '../errors.js';

/** Who is unlocked at this peer. The gateways act in their names; the tokens never leave the process. */
export class UserSessions {
  readonly #catalog: Catalog;
  readonly #sessions = new Map<string, Session>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async unlock(name: string, passphrase: string): Promise<UserSummary> {
    const session = await this.#catalog.unlock(name, passphrase);
    const former = this.#sessions.get(name);
    this.#sessions.set(name, session);
    if (former !== undefined) await this.#catalog.lock(former);
    return { id: session.user, name: session.name, unlocked: true };
  }

  async lock(name: string): Promise<void> {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    if (session !== undefined) await this.#catalog.lock(session);
  }

  list(): Session[] {
    return [...this.#sessions.values()];
  }

  /**
   * The session to act in: of the named user, or of the only one.
   *
   * @throws StorageError LOCKED when there is none, INVALID_ARGUMENT when it is not clear which
   */
  get(name?: string): Session {
    const found = name === undefined ? this.list() : this.list().filter((session) => session.name === name);
    const [only] = found;
    if (only === undefined) {
      const who = name === undefined ? 'No user' : `The user "${name}"`;
      throw new StorageError(
        'LOCKED',
        `${who} is unlocked at this peer. Unlock with \`shoal unlock ${name ?? 'NAME'}\`.`,
      );
    }
    if (found.length > 1) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `Several users are unlocked (${found.map((session) => session.name).join(', ')}): choose one with --user.`,
      );
    }
    return only;
  }
}
