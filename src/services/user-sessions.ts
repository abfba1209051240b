import type { Catalog, PassphraseChange, Session, UserSummary } from '../catalog/catalog.js';
import { StorageError } from '../errors.js';

/** Who is unlocked at this peer. The gateways act in their names; the tokens never leave the process. */
export class UserSessions {
  readonly #catalog: Catalog;
  readonly #sessions = new Map<string, Session>();
  readonly #onEnd = new Set<(user: string) => void>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  async unlock(name: string, passphrase: string): Promise<UserSummary> {
    const session = await this.#catalog.unlock(name, passphrase);
    // Not `name`, which may be the user's id.
    const former = this.#sessions.get(session.name);
    if (former !== undefined && !(await this.#catalog.isUnlocked(former))) this.#forget(former);
    this.#sessions.set(session.name, session);
    if (former !== undefined) await this.#catalog.lock(former);
    return summaryOf(session);
  }

  /**
   * As unlock; where the user is unlocked already it proves the passphrase, and leaves alone what is going on in that session.
   */
  async signIn(name: string, passphrase: string): Promise<UserSummary> {
    const session = await this.#catalog.unlock(name, passphrase);
    const former = this.#sessions.get(session.name);
    const isOpen = former !== undefined && (await this.#catalog.isUnlocked(former));
    if (isOpen && former.generation === session.generation) {
      await this.#catalog.lock(session);
      return summaryOf(session);
    }
    if (former !== undefined && !isOpen) this.#forget(former);
    this.#sessions.set(session.name, session);
    if (isOpen) await this.#catalog.lock(former);
    return summaryOf(session);
  }

  async lock(name: string): Promise<void> {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    this.#forget(session);
    await this.#catalog.lock(session);
  }

  /** Tells the name of a user who is not unlocked any more: locked, or idle for long. @returns stops it */
  onEnd(tell: (user: string) => void): () => void {
    this.#onEnd.add(tell);
    return () => void this.#onEnd.delete(tell);
  }

  /** The user's session at these gateways stays, whatever else of the user's is locked. */
  changePassphrase(name: string, old: string, next: string): Promise<PassphraseChange> {
    return this.#catalog.changePassphrase({ name, old, next, keep: this.#sessions.get(name) });
  }

  list(): Session[] {
    return [...this.#sessions.values()];
  }

  /** For work that nobody asked for just now: what is done in these sessions does not keep them from idling. */
  background(): Session[] {
    return this.list().map((session) => inBackground(session));
  }

  /** Forgets the sessions that ended by themselves: by idling, or by a passphrase that was changed elsewhere. */
  async refresh(): Promise<void> {
    for (const session of this.list()) {
      const open = await this.#catalog.isUnlocked(session);
      // Somebody may have unlocked again meanwhile.
      if (!open && this.#sessions.get(session.name) === session) this.#forget(session);
    }
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
      const who = name === undefined ? 'No user is' : `The user "${name}" is not`;
      throw new StorageError('LOCKED', `${who} unlocked at this peer. Unlock with \`shoal unlock ${name ?? 'NAME'}\`.`);
    }
    if (found.length > 1) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `Several users are unlocked (${found.map((session) => session.name).join(', ')}): choose one with --user.`,
      );
    }
    return only;
  }

  #forget({ name }: Session): void {
    this.#sessions.delete(name);
    for (const tell of this.#onEnd) tell(name);
  }
}

function summaryOf({ user: id, name, generation, kit }: Session): UserSummary {
  return { id, name, unlocked: true, generation, kit };
}

/** The same session, under the token whose use does not count. */
export function inBackground(session: Session): Session {
  return { ...session, token: session.background };
}
