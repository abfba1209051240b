import { setInterval } from 'node:timers';
import type { PeerId, UserId } from '../../chunk/ids.js';
import type { Argon2Cost } from '../../crypto/passphrase.js';
import { StorageError } from '../../errors.js';
import { SESSION_IDLE_MS, SESSION_SWEEP_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { Accounts } from './accounts.js';
import type {
  CatalogHead,
  KeyRotation,
  PassphraseChange,
  PassphraseToChange,
  RecoveryKitSheet,
  RotationOptions,
  Session,
  SessionToken,
  SshKey,
  SshKeyToAdd,
  SshKeyToRemove,
  UserSummary,
} from '../catalog.js';
import type { KeyRing } from './key-ring.js';
import { latestOf } from '../records/latest.js';
import type { OpenUser } from './open-user.js';
import { Sessions } from './sessions.js';
import { UnlockedUsers } from './unlocked-users.js';
import type { UserCatalog } from '../view/user-catalog.js';
import type { UserDocument } from './user-document.js';
import type { UserRecords } from './user-records.js';

export interface UserAccessOptions {
  readonly records: UserRecords;
  readonly peer: PeerId;
  /** Is given the keys: to be wiped when what it opened is closed. */
  readonly open: (user: UserDocument, ring: KeyRing) => Promise<OpenUser>;
  /** The name of the network, for recovery kits. */
  readonly networkName: () => Promise<string>;
  /** Names of the backup hosts that have not taken all of the database `network` yet. Absent: there are none. */
  readonly pendingHosts?: (() => Promise<readonly string[]>) | undefined;
  readonly logger: Logger;
  /** Unix time. */
  readonly now: () => number;
  readonly cost?: Argon2Cost | undefined;
  readonly sessionIdleMs?: number | undefined;
}

interface UserSession {
  readonly user: UserId;
  /** Of the document whose passphrase opened it. */
  version: number;
}

/** Who may act as which user at this peer: users with their secrets, and sessions. Its methods are those of Catalog. */
export class UserAccess {
  readonly #options: UserAccessOptions;
  readonly #accounts: Accounts;
  readonly #users: UnlockedUsers;
  readonly #sessions: Sessions<UserSession>;
  readonly #sweep: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: UserAccessOptions) {
    const { records, now, cost, sessionIdleMs = SESSION_IDLE_MS } = options;
    this.#options = options;
    this.#accounts = new Accounts(records, { now, ...(cost && { cost }) });
    this.#users = new UnlockedUsers(options.open);
    this.#sessions = new Sessions({ idleMs: sessionIdleMs, now });
    this.#sweep = setInterval(() => void this.#lock(this.#sessions.expire()), SESSION_SWEEP_MS).unref();
  }

  has(user: UserId): boolean {
    return this.#users.has(user);
  }

  /** None while the user is locked. */
  async heads(user: UserId): Promise<readonly CatalogHead[]> {
    return (await this.#users.get(user)?.with((catalog) => catalog.heads())) ?? [];
  }

  async users(): Promise<readonly UserSummary[]> {
    return (await this.#accounts.users()).map((user) => this.#summary(user));
  }

  async createUser(name: string, passphrase: string): Promise<UserSummary> {
    return this.#summary(await this.#accounts.create(name, passphrase));
  }

  exportUser(name: string): Promise<Uint8Array> {
    return this.#accounts.export(name);
  }

  async importUser(document: Uint8Array): Promise<UserSummary> {
    return this.#summary(await this.#accounts.import(document));
  }

  unlock(name: string, passphrase: string): Promise<Session> {
    return this.#accounts.unlock(name, passphrase, async (user, ring) => {
      const { owner, publicKey, version } = user;
      await this.#users.acquire(user, ring);
      try {
        if (this.#isClosed) throw new StorageError('UNAVAILABLE', 'The catalog is being closed.');
        const tokens = this.#sessions.add({ user: owner, version });
        const { generation, kit } = this.#summary(user);
        return { ...tokens, user: owner, name: user.name, publicKey, generation, kit };
      } catch (error) {
        await this.#users.release(owner);
        throw error;
      }
    });
  }

  async lock(session: SessionToken): Promise<void> {
    const removed = this.#sessions.remove(session.token);
    if (removed !== undefined) await this.#users.release(removed.user);
  }

  isUnlocked(session: SessionToken): boolean {
    return this.#sessions.isOpen(session.token);
  }

  /** @throws StorageError LOCKED */
  use(session: SessionToken): OpenUser {
    const open = this.#users.get(this.#sessions.use(session.token).user);
    if (open === undefined) throw new StorageError('LOCKED', 'The session has ended. Unlock the user first.');
    return open;
  }

  /** Runs one call on the user's files. @throws StorageError LOCKED */
  async with<T>(session: SessionToken, work: (catalog: UserCatalog) => T | Promise<T>): Promise<T> {
    return this.use(session).with(work);
  }

  async changePassphrase(change: PassphraseToChange): Promise<PassphraseChange> {
    const { name, old, next, keep } = change;
    const user = await this.#accounts.changePassphrase(name, old, next, (changed) => this.#lockOthers(changed, keep));
    return this.#changed(user);
  }

  async recoverWithKit(name: string, words: string, next: string): Promise<PassphraseChange> {
    const user = await this.#accounts.recoverWithKit(name, words, next);
    await this.#lockOthers(user);
    return this.#changed(user);
  }

  async makeKit(name: string, passphrase: string): Promise<RecoveryKitSheet> {
    const { user, words, createdMs } = await this.#accounts.makeKit(name, passphrase, (changed) => {
      this.#keepAll(changed);
    });
    return { ...(await this.#changed(user)), words, network: await this.#options.networkName(), createdMs };
  }

  async sshKeys(name: string): Promise<readonly SshKey[]> {
    return this.#accounts.sshKeys(name);
  }

  async addSshKey({ key, label, ...by }: SshKeyToAdd): Promise<readonly SshKey[]> {
    const user = await this.#accounts.addSshKey(by, { key, label }, (changed) => {
      this.#keepAll(changed);
    });
    return user.sshKeys ?? [];
  }

  async removeSshKey({ which, ...by }: SshKeyToRemove): Promise<readonly SshKey[]> {
    const user = await this.#accounts.removeSshKey(by, which, (changed) => {
      this.#keepAll(changed);
    });
    return user.sshKeys ?? [];
  }

  async *rotateKeys(
    session: SessionToken,
    passphrase: string,
    options: RotationOptions = {},
  ): AsyncGenerator<KeyRotation> {
    const open = this.use(session);
    if (open.rotation.state === 'none') await this.#rotate(open, passphrase);
    const progress = latestOf<KeyRotation>();
    const stop = new AbortController();
    const advance = { ...options, force: true, signal: stop.signal, onProgress: progress.push };
    const work = open.advance(advance).then(progress.end, progress.fail);
    try {
      yield open.rotation;
      yield* progress.values();
      yield open.rotation;
    } finally {
      stop.abort();
      await work;
    }
  }

  keyRotation(session: SessionToken): KeyRotation {
    return this.use(session).rotation;
  }

  /** Locks the sessions of a user whose passphrase or keys were changed elsewhere: they were opened with what is void now. */
  async recheck(id: UserId): Promise<void> {
    if (!this.#users.has(id)) return;
    const user = await this.#accounts.user(id);
    if (user === undefined) return;
    const ended = this.#sessions.removeAll((session) => session.user === id && session.version < user.version);
    if (ended.length === 0) return;
    this.#options.logger.info(
      { user: id },
      'the passphrase or the keys were changed elsewhere: the user is locked here',
    );
    await this.#lock(ended);
  }

  /** A home of the user has said something; absent: of any user. */
  lookAgain(user?: UserId): void {
    const users = user === undefined ? this.#sessions.all().map((session) => session.user) : [user];
    for (const each of new Set(users)) this.#users.get(each)?.lookAgain();
  }

  /** As recheck, for everybody who is unlocked. */
  async recheckAll(): Promise<void> {
    for (const user of new Set(this.#sessions.all().map((session) => session.user))) await this.recheck(user);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    await this.#lock(this.#sessions.clear());
  }

  async #rotate(open: OpenUser, passphrase: string): Promise<void> {
    const { name } = open.user;
    await this.#accounts.rotateKeys(name, passphrase, this.#options.peer, ({ user, ring }) => {
      this.#keepAll(user);
      open.renew(user, ring);
    });
  }

  async #changed(user: UserDocument): Promise<PassphraseChange> {
    const pendingHosts = (await this.#options.pendingHosts?.()) ?? [];
    return { user: this.#summary(user), pendingHosts };
  }

  #summary({ owner, name, generation, kit }: UserDocument): UserSummary {
    return { id: owner, name, unlocked: this.#users.has(owner), generation, kit: kit !== undefined };
  }

  /** The secret is the same: sessions that were opened with the former document are as good. */
  #keepAll({ owner, version }: UserDocument): void {
    for (const session of this.#sessions.all()) if (session.user === owner) session.version = version;
  }

  async #lockOthers(user: UserDocument, keep?: SessionToken): Promise<void> {
    const { owner, version } = user;
    const ended = this.#sessions.removeAll((session) => session.user === owner, keep?.token);
    for (const session of this.#sessions.all()) if (session.user === owner) session.version = version;
    await this.#lock(ended);
  }

  async #lock(ended: readonly UserSession[]): Promise<void> {
    for (const { user } of ended) {
      try {
        await this.#users.release(user);
      } catch (error) {
        this.#options.logger.error({ err: error }, 'locking a user failed');
      }
    }
  }
}
