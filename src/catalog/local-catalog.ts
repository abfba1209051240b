import { setInterval } from 'node:timers';
import { userDatabase } from '../chunk/database-names.js';
import type { FileId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import { sealSigned } from '../chunk/signed.js';
import type { Argon2Cost } from '../crypto/passphrase.js';
import { stripeDirectoryKey } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import { SESSION_IDLE_MS, SESSION_SWEEP_MS } from '../limits.js';
import type { Logger } from '../log.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import { Accounts } from './accounts.js';
import type {
  Catalog,
  ChunkMove,
  DeletedEntry,
  Entry,
  FreedStripe,
  Manifest,
  NetworkPolicy,
  NetworkRecord,
  NewVersion,
  RecordProblem,
  Removal,
  RemoveOptions,
  Session,
  SessionToken,
  SigningPurpose,
  StripeRecord,
  UserHome,
  UserSummary,
  VersionSummary,
} from './catalog.js';
import type { Document, DocumentDatabase, DocumentHost } from '../documents/document-database.js';
import { LevelHost } from '../documents/level-host.js';
import type { Membership } from './membership.js';
import { Sessions } from './sessions.js';
import { SharedDocuments } from './shared-documents.js';
import { UnlockedUsers } from './unlocked-users.js';
import { type Removed, UserCatalog } from './user-catalog.js';
import type { UserDocument } from './user-document.js';

const DIRECTORY_SALT_BYTES = 32;

export interface LocalCatalogOptions {
  /** The peer's document databases: a folder of this process, made when missing, or a host, which is not closed here. */
  readonly directory: string | DocumentHost;
  /** Of what this peer remembers by itself, made when missing: apart from the databases, lest both go back together. */
  readonly state: string;
  readonly membership: Membership;
  readonly logger: Logger;
  /** Of the passphrases of users that are created here. */
  readonly argon2?: Argon2Cost;
  /** A session that was not used for so long is locked. */
  readonly sessionIdleMs?: number;
  /** Unix time. */
  readonly now?: () => number;
}

interface Parts {
  readonly shared: SharedDocuments;
  readonly users: UnlockedUsers;
  /** The databases, when they were opened here. */
  readonly ownHost: LevelHost | undefined;
}

/** The catalog over document databases on this peer's disk. One at a time may have a directory open. */
export class LocalCatalog implements Catalog {
  readonly #logger: Logger;
  readonly #membership: Membership;
  readonly #shared: SharedDocuments;
  readonly #now: () => number;
  readonly #ownHost: LevelHost | undefined;
  readonly #accounts: Accounts;
  readonly #users: UnlockedUsers;
  readonly #sessions: Sessions<UserCatalog>;
  readonly #sweep: NodeJS.Timeout;
  #closing: Promise<void> | undefined;

  private constructor(options: LocalCatalogOptions, { shared, users, ownHost }: Parts) {
    const { membership, logger, now = Date.now } = options;
    this.#logger = logger;
    this.#membership = membership;
    this.#shared = shared;
    this.#ownHost = ownHost;
    this.#now = now;
    this.#users = users;
    this.#accounts = new Accounts(shared.network, { now, ...(options.argon2 && { cost: options.argon2 }) });
    this.#sessions = new Sessions({ idleMs: options.sessionIdleMs ?? SESSION_IDLE_MS, now });
    this.#sweep = setInterval(() => void this.#lockIdle(), SESSION_SWEEP_MS).unref();
  }

  /** @throws StorageError CONFLICT when another process has it open, CORRUPT when it is damaged */
  static async open(options: LocalCatalogOptions): Promise<LocalCatalog> {
    const { directory, state, membership, logger, now = Date.now } = options;
    const ownHost = typeof directory === 'string' ? await LevelHost.open({ directory, logger }) : undefined;
    const host = ownHost ?? (directory as DocumentHost);
    try {
      const openDatabase = (name: string): Promise<DocumentDatabase> => host.open(name);
      const users = unlockedUsers(options, openDatabase, async () =>
        nameOf(await shared.network.peers(), membership.peer),
      );
      const isOwn = (owner: UserId): boolean => users.has(owner);
      const shared = await SharedDocuments.open({ openDatabase, state, membership, logger, now, isOwn });
      return new LocalCatalog(options, { shared, users, ownHost });
    } catch (error) {
      await ownHost?.close();
      throw error;
    }
  }

  network(): Promise<NetworkRecord> {
    return this.#shared.network.network();
  }

  setNetwork(policy: NetworkPolicy): Promise<void> {
    return this.#shared.network.setNetwork(policy);
  }

  peers(): Promise<readonly PeerRecord[]> {
    return this.#shared.network.peers();
  }

  setPeer(profile: PeerProfile): Promise<void> {
    return this.#shared.network.setPeer(profile);
  }

  setPeerState(peer: PeerId, state: PeerRecord['state']): Promise<void> {
    return this.#shared.network.setPeerState(peer, state);
  }

  /** Records that are signed already, as another peer has them: what a new peer begins with. */
  takeRecords(documents: readonly Document[]): Promise<void> {
    return this.#shared.network.take(documents);
  }

  homes(): Promise<readonly UserHome[]> {
    return this.#shared.network.homes();
  }

  async leaveHome(session: SessionToken, peer: PeerId): Promise<void> {
    const { user, keys } = this.#use(session);
    await this.#shared.network.setHome({ user, peer, gone: true }, keys.signing);
  }

  async problems(): Promise<readonly RecordProblem[]> {
    return this.#shared.problems.list();
  }

  async users(): Promise<readonly UserSummary[]> {
    const known = await this.#shared.network.users();
    return known.map(({ user }) => this.#summary(user));
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
    return this.#accounts.unlock(name, passphrase, async (user, keys) => {
      const { owner, publicKey } = user;
      const catalog = await this.#users.acquire(owner, keys);
      try {
        if (this.#closing !== undefined) throw new StorageError('UNAVAILABLE', 'The catalog is being closed.');
        await this.#settle(catalog);
        return { token: this.#sessions.add(catalog), user: owner, name: user.name, publicKey };
      } catch (error) {
        await this.#users.release(owner);
        throw error;
      }
    });
  }

  async lock(session: SessionToken): Promise<void> {
    const catalog = this.#sessions.remove(session.token);
    if (catalog !== undefined) await this.#users.release(catalog.user);
  }

  async sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array> {
    return sealSigned(purpose, body, this.#use(session).keys.signing);
  }

  async directoryKey(session: SessionToken, salt: Uint8Array): Promise<Uint8Array> {
    if (salt.length !== DIRECTORY_SALT_BYTES) {
      throw new StorageError('INVALID_ARGUMENT', `The salt of a directory has ${String(DIRECTORY_SALT_BYTES)} bytes.`);
    }
    return stripeDirectoryKey(this.#use(session).keys.directoryKey, salt);
  }

  async stat(session: SessionToken, path: string): Promise<Entry> {
    return this.#use(session).stat(path);
  }

  async list(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<readonly Entry[]> {
    return this.#use(session).list(path, options?.recursive ?? false);
  }

  async versions(session: SessionToken, path: string): Promise<readonly VersionSummary[]> {
    return this.#use(session).versions(path);
  }

  async manifest(session: SessionToken, path: string, version?: VersionId): Promise<Manifest> {
    return this.#use(session).manifest(path, version);
  }

  async manifests(session: SessionToken, paths: readonly string[]): Promise<readonly (Manifest | undefined)[]> {
    return this.#use(session).manifests(paths);
  }

  async fileIds(session: SessionToken, paths: readonly string[]): Promise<readonly (FileId | undefined)[]> {
    return this.#use(session).fileIds(paths);
  }

  async commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void> {
    const catalog = this.#use(session);
    const stripes = new Set(versions.flatMap(({ manifest }) => manifest.extents.map(({ stripe }) => stripe)));
    await this.#shared.stripes.demand([...stripes]);
    await catalog.commit(versions);
  }

  async makeFolder(session: SessionToken, path: string): Promise<void> {
    await this.#use(session).makeFolder(path);
  }

  async move(session: SessionToken, from: string, to: string): Promise<void> {
    await this.#use(session).move(from, to);
  }

  async remove(session: SessionToken, path: string, options?: RemoveOptions): Promise<Removal> {
    const { recursive = false, forever = false } = options ?? {};
    return this.#removal(await this.#use(session).remove(path, { recursive, forever }));
  }

  async deleted(session: SessionToken): Promise<readonly DeletedEntry[]> {
    return this.#use(session).deleted();
  }

  async restore(session: SessionToken, path: string, version?: VersionId): Promise<Entry> {
    return this.#use(session).restore(path, version);
  }

  async emptyTrash(session: SessionToken, untilMs: number): Promise<Removal> {
    return this.#removal(await this.#use(session).emptyTrash(untilMs));
  }

  putStripes(records: readonly StripeRecord[]): Promise<void> {
    return this.#shared.stripes.put(records);
  }

  stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]> {
    return this.#shared.stripes.get(ids);
  }

  moveChunks(moves: readonly ChunkMove[]): Promise<void> {
    return this.#shared.stripes.move(moves);
  }

  async forgetStripes(session: SessionToken, ids: readonly StripeId[]): Promise<void> {
    const { user, keys } = this.#use(session);
    await this.#shared.stripes.forget(ids, { owner: user, by: keys.signing, issuedMs: this.#now() });
  }

  /** Locks everybody. Commits on their way to the disk end first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.all(this.#sessions.clear().map((catalog) => this.#users.release(catalog.user)));
    await this.#shared.close();
    await this.#ownHost?.close();
  }

  /** The files are gone already, as was asked: the chunks of a stripe whose record is lost are found by inventories. */
  async #removal({ files, freed }: Removed): Promise<Removal> {
    const stripes = await this.#shared.stripes.get(freed);
    return { files, freed: stripes.flatMap((stripe) => (stripe === undefined ? [] : freedStripe(stripe))) };
  }

  /** Whoever unlocks a user here wants the user's databases here. */
  async #settle({ user, keys }: UserCatalog): Promise<void> {
    try {
      await this.#shared.network.setHome({ user, peer: this.#membership.peer, gone: false }, keys.signing);
    } catch (error) {
      // What is here can be read all the same; the next unlock tries again.
      this.#logger.warn({ user, err: error }, 'that the user is at home here could not be noted');
    }
  }

  #use(session: SessionToken): UserCatalog {
    return this.#sessions.use(session.token);
  }

  #summary(user: UserDocument): UserSummary {
    return { id: user.owner, name: user.name, unlocked: this.#users.has(user.owner) };
  }

  async #lockIdle(): Promise<void> {
    for (const { user } of this.#sessions.expire()) await this.#release(user);
  }

  async #release(user: UserId): Promise<void> {
    try {
      await this.#users.release(user);
    } catch (error) {
      this.#logger.error({ err: error }, 'locking an idle user failed');
    }
  }
}

function freedStripe({ id, chunks, placement }: StripeRecord): FreedStripe {
  const held = chunks.flatMap((chunk, index) => {
    const peer = placement[index]?.peer;
    return peer === undefined ? [] : [{ id: chunk, peer }];
  });
  return { stripe: id, chunks: held };
}

/** What a peer is called, as far as it is known. */
function nameOf(peers: readonly PeerRecord[], id: PeerId): string {
  return peers.find((peer) => peer.id === id)?.name ?? '';
}

function unlockedUsers(
  { membership: { peer }, logger, now = Date.now }: LocalCatalogOptions,
  openDatabase: (name: string) => Promise<DocumentDatabase>,
  ownName: () => Promise<string>,
): UnlockedUsers {
  return new UnlockedUsers(async (user, keys) => {
    const database = await openDatabase(userDatabase(user, 1));
    try {
      return await UserCatalog.open({ user, peer, peerName: await ownName(), keys, logger, now, database });
    } catch (error) {
      await database.close();
      throw error;
    }
  });
}
