import type { Catalog, PassphraseChange, Session, UserSummary } from '../catalog/catalog.js';
import { StorageError } from '../errors.js';

/** Who is unlocked at this peer. The gateways act in their names; the tokens never leave the process. */
export class UserSessions {
  readonly #catalog: Catalog;
  readonly #sessions = new Map<string, Session>();
  readonly #onEnd = new Set<(user: string) => void>();
  readonly #onReplaced = new Set<(user: string) => void>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** @throws StorageError as Catalog.unlock; CONFLICT while another user of that name is unlocked here */
  async unlock(name: string, passphrase: string): Promise<UserSummary> {
    const session = await this.#catalog.unlock(name, passphrase);
    await this.#admit(session, () => false);
    return summaryOf(session);
  }

  /**
   * As unlock; where the user is unlocked already it proves the passphrase, and leaves alone what is going on in that session.
   */
  async signIn(name: string, passphrase: string): Promise<UserSummary> {
    const session = await this.#catalog.unlock(name, passphrase);
    await this.#admit(session, (former) => former.generation === session.generation);
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

  /** Tells the name of a user whose passphrase or keys were replaced here. @returns stops it */
  onReplaced(tell: (user: string) => void): () => void {
    this.#onReplaced.add(tell);
    return () => void this.#onReplaced.delete(tell);
  }

  /** The user's passphrase or keys were replaced: whoever came in by what was before has to come anew. */
  replaced(user: string): void {
    for (const tell of this.#onReplaced) tell(user);
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

  /**
   * Takes a fresh session in the place of the one before, unless that is kept. Sessions, and all that is done in them, go by
   * names, and several users may have one: the passphrase of one of them must not lead to the files of another.
   */
  async #admit(session: Session, isKept: (former: Session) => boolean): Promise<void> {
    const { name, user } = session;
    for (;;) {
      const former = this.#sessions.get(name);
      const isOpen = former !== undefined && (await this.#catalog.isUnlocked(former));
      // Somebody else was admitted meanwhile. From here to the end nothing is waited for.
      if (this.#sessions.get(name) !== former) continue;
      if (former !== undefined && isOpen && former.user !== user) {
        await this.#catalog.lock(session);
        throw namesake(name);
      }
      if (former !== undefined && isOpen && isKept(former)) return this.#catalog.lock(session);
      if (former !== undefined && !isOpen) this.#forget(former);
      this.#sessions.set(name, session);
      if (former !== undefined) await this.#catalog.lock(former);
      return;
    }
  }

  #forget({ name }: Session): void {
    this.#sessions.delete(name);
    for (const tell of this.#onEnd) tell(name);
  }
}

function namesake(name: string): StorageError {
  return new StorageError(
    'CONFLICT',
    `Another user is called ${name} too, and is unlocked at this peer. Only one of them can be at a time: \`shoal lock ${name}\` first.`,
  );
}

function summaryOf({ user: id, name, generation, kit }: Session): UserSummary {
  return { id, name, unlocked: true, generation, kit };
}

/** The same session, under the token whose use does not count. */
export function inBackground(session: Session): Session {
  return { ...session, token: session.background };
}
