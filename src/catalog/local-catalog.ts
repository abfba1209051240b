import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { FileId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import { sealSigned } from '../chunk/signed.js';
import type { Argon2Cost } from '../crypto/passphrase.js';
import { stripeDirectoryKey } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import type {
  Attributes,
  Catalog,
  CatalogHead,
  ChunkMove,
  DeletedEntry,
  DueRemovals,
  Entry,
  FreedStripe,
  KeyRotation,
  Manifest,
  MoveOptions,
  NetworkPolicy,
  NetworkRecord,
  NewVersion,
  PassphraseChange,
  PassphraseToChange,
  RecordProblem,
  RecoveryKitSheet,
  Removal,
  RemoveOptions,
  RotationOptions,
  Session,
  SessionToken,
  SigningPurpose,
  SshKey,
  SshKeyToAdd,
  SshKeyToRemove,
  StripePage,
  StripeRecord,
  UserHome,
  UserSummary,
  VersionSummary,
} from './catalog.js';
import { LocalCompaction } from './local-compaction.js';
import type { Document, DocumentDatabase, DocumentHost } from '../documents/document-database.js';
import { LevelHost } from '../documents/level-host.js';
import type { Membership } from './records/membership.js';
import { OwnHome } from './records/own-home.js';
import { OpenUser } from './users/open-user.js';
import { SharedDocuments } from './shared-documents.js';
import { UserAccess } from './users/user-access.js';
import { headMemory } from './users/head-memory.js';
import { UserGenerations } from './users/user-generations.js';
import { UserWatch } from './users/user-watch.js';

const DIRECTORY_SALT_BYTES = 32;

export interface LocalCatalogOptions {
  /** The peer's document databases: a folder of this process, made when missing, or a host, which is not closed here. */
  readonly directory: string | DocumentHost;
  /** Of what this peer remembers by itself, made when missing: apart from the databases, lest both go back together. */
  readonly state: string;
  readonly membership: Membership;
  readonly logger: Logger;
  /** Names of the backup hosts that have not taken all of the database `network` yet. Absent: there are none. */
  readonly pendingHosts?: () => Promise<readonly string[]>;
  /** Of the passphrases of users that are created here. */
  readonly argon2?: Argon2Cost;
  /** A session that was not used for so long is locked. */
  readonly sessionIdleMs?: number;
  /** Unix time. */
  readonly now?: () => number;
}

interface Parts {
  readonly shared: SharedDocuments;
  readonly users: UserAccess;
  readonly watch: UserWatch;
  /** The databases, when they were opened here. */
  readonly ownHost: LevelHost | undefined;
}

/** The catalog over document databases on this peer's disk. One at a time may have a directory open. */
export class LocalCatalog implements Catalog {
  readonly compaction: LocalCompaction;
  readonly #options: LocalCatalogOptions;
  readonly #shared: SharedDocuments;
  readonly #users: UserAccess;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  private constructor(options: LocalCatalogOptions, parts: Parts) {
    this.#options = options;
    this.#shared = parts.shared;
    this.#users = parts.users;
    this.#parts = parts;
    this.compaction = new LocalCompaction(parts.users, parts.shared.stripes);
  }

  /** @throws StorageError CONFLICT when another process has it open, CORRUPT when it is damaged */
  static async open(options: LocalCatalogOptions): Promise<LocalCatalog> {
    const { directory, state, membership, logger, now = Date.now } = options;
    const ownHost = typeof directory === 'string' ? await LevelHost.open({ directory, logger }) : undefined;
    const host = ownHost ?? (directory as DocumentHost);
    const opened: AsyncDisposable[] = ownHost === undefined ? [] : [ownHost];
    try {
      const openDatabase = (name: string): Promise<DocumentDatabase> => host.open(name);
      const isOwn = (owner: UserId): boolean => users.has(owner);
      const shared = await SharedDocuments.open({ openDatabase, state, membership, logger, now, isOwn });
      opened.push(shared);
      const users = userAccess(options, host, shared);
      const database = await host.open(NETWORK_DATABASE);
      const watch = await UserWatch.open({
        database,
        logger,
        onChange: (user) => users.recheck(user),
        onHome: (user) => users.lookAgain(user),
        catchUp: async () => {
          await users.recheckAll();
          users.lookAgain();
        },
      });
      return new LocalCatalog(options, { shared, users, watch, ownHost });
    } catch (error) {
      for (const part of opened.reverse()) await part[Symbol.asyncDispose]();
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
    const { user, ring } = this.#users.use(session);
    const { network } = this.#shared;
    const home = { user: user.owner, peer };
    const generation = (await network.home(home))?.generation ?? 0;
    await network.setHome({ ...home, generation, gone: true }, ring.signer);
  }

  async problems(): Promise<readonly RecordProblem[]> {
    return this.#shared.problems.list();
  }

  users(): Promise<readonly UserSummary[]> {
    return this.#users.users();
  }

  createUser(name: string, passphrase: string): Promise<UserSummary> {
    return this.#users.createUser(name, passphrase);
  }

  exportUser(name: string): Promise<Uint8Array> {
    return this.#users.exportUser(name);
  }

  importUser(document: Uint8Array): Promise<UserSummary> {
    return this.#users.importUser(document);
  }

  async unlock(name: string, passphrase: string): Promise<Session> {
    const session = await this.#users.unlock(name, passphrase);
    await this.#settle(session);
    return session;
  }

  lock(session: SessionToken): Promise<void> {
    return this.#users.lock(session);
  }

  async isUnlocked(session: SessionToken): Promise<boolean> {
    return this.#users.isUnlocked(session);
  }

  changePassphrase(change: PassphraseToChange): Promise<PassphraseChange> {
    return this.#users.changePassphrase(change);
  }

  makeKit(name: string, passphrase: string): Promise<RecoveryKitSheet> {
    return this.#users.makeKit(name, passphrase);
  }

  recoverWithKit(name: string, words: string, next: string): Promise<PassphraseChange> {
    return this.#users.recoverWithKit(name, words, next);
  }

  sshKeys(name: string): Promise<readonly SshKey[]> {
    return this.#users.sshKeys(name);
  }

  addSshKey(key: SshKeyToAdd): Promise<readonly SshKey[]> {
    return this.#users.addSshKey(key);
  }

  removeSshKey(key: SshKeyToRemove): Promise<readonly SshKey[]> {
    return this.#users.removeSshKey(key);
  }

  rotateKeys(session: SessionToken, passphrase: string, options?: RotationOptions): AsyncGenerator<KeyRotation> {
    return this.#users.rotateKeys(session, passphrase, options);
  }

  async keyRotation(session: SessionToken): Promise<KeyRotation> {
    return this.#users.keyRotation(session);
  }

  async sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array> {
    return sealSigned(purpose, body, this.#users.use(session).ring.signer);
  }

  async directoryKey(session: SessionToken, salt: Uint8Array, generation?: number): Promise<Uint8Array> {
    if (salt.length !== DIRECTORY_SALT_BYTES) {
      throw new StorageError('INVALID_ARGUMENT', `The salt of a directory has ${String(DIRECTORY_SALT_BYTES)} bytes.`);
    }
    const { ring } = this.#users.use(session);
    return stripeDirectoryKey(ring.of(generation ?? ring.generation).directoryKey, salt);
  }

  async stat(session: SessionToken, path: string): Promise<Entry> {
    return this.#users.with(session, (catalog) => catalog.stat(path));
  }

  async list(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<readonly Entry[]> {
    return this.#users.with(session, (catalog) => catalog.list(path, options?.recursive ?? false));
  }

  async versions(session: SessionToken, path: string): Promise<readonly VersionSummary[]> {
    return this.#users.with(session, (catalog) => catalog.versions(path));
  }

  async manifest(session: SessionToken, path: string, version?: VersionId): Promise<Manifest> {
    return this.#users.with(session, (catalog) => catalog.manifest(path, version));
  }

  async manifests(session: SessionToken, paths: readonly string[]): Promise<readonly (Manifest | undefined)[]> {
    return this.#users.with(session, (catalog) => catalog.manifests(paths));
  }

  async fileIds(session: SessionToken, paths: readonly string[]): Promise<readonly (FileId | undefined)[]> {
    return this.#users.with(session, (catalog) => catalog.fileIds(paths));
  }

  async knownVersions(session: SessionToken, versions: readonly VersionId[]): Promise<ReadonlySet<VersionId>> {
    return this.#users.with(session, (catalog) => catalog.knownVersions(versions));
  }

  async commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void> {
    this.#users.use(session);
    const stripes = new Set(versions.flatMap(({ manifest }) => manifest.extents.map(({ stripe }) => stripe)));
    await this.#shared.stripes.demand([...stripes]);
    await this.#users.with(session, (catalog) => catalog.commit(versions));
  }

  async makeFolder(session: SessionToken, path: string): Promise<void> {
    await this.#users.with(session, (catalog) => catalog.makeFolder(path));
  }

  async move(session: SessionToken, from: string, to: string, options?: MoveOptions): Promise<void> {
    await this.#users.with(session, (catalog) => catalog.move(from, to, options));
  }

  async setAttributes(session: SessionToken, path: string, attributes: Attributes): Promise<Entry> {
    return this.#users.with(session, (catalog) => catalog.setAttributes(path, attributes));
  }

  async remove(session: SessionToken, path: string, options?: RemoveOptions): Promise<Removal> {
    const { recursive = false, forever = false } = options ?? {};
    return { files: await this.#users.with(session, (catalog) => catalog.remove(path, { recursive, forever })) };
  }

  async deleted(session: SessionToken): Promise<readonly DeletedEntry[]> {
    return this.#users.with(session, (catalog) => catalog.deleted());
  }

  async restore(session: SessionToken, path: string, version?: VersionId): Promise<Entry> {
    return this.#users.with(session, (catalog) => catalog.restore(path, version));
  }

  async emptyTrash(session: SessionToken, untilMs: number): Promise<Removal> {
    return { files: await this.#users.with(session, (catalog) => catalog.emptyTrash(untilMs)) };
  }

  async dueRemovals(session: SessionToken): Promise<DueRemovals> {
    const { due, waitingFor } = await this.#users.with(session, (catalog) => catalog.dueRemovals());
    const removals = due.map(async ({ node, stripes, isOverdue }) => {
      const records = await this.#shared.stripes.get(stripes);
      // Nobody would look for the chunks of a stripe whose record comes later. Where it is lost, inventories find them.
      const unknown = stripes.filter((_, index) => records[index] === undefined);
      if (!isOverdue && !(await this.#shared.stripes.haveCome(unknown))) return [];
      return [{ node, stripes: records.flatMap((record) => (record === undefined ? [] : [freedStripe(record)])) }];
    });
    return { due: (await Promise.all(removals)).flat(), waitingFor };
  }

  carryOutRemovals(session: SessionToken, nodes: readonly string[]): Promise<readonly StripeId[]> {
    return this.#users.with(session, (catalog) => catalog.carryOutRemovals(nodes));
  }

  acceptLoss(session: SessionToken): Promise<void> {
    return this.#users.with(session, (catalog) => catalog.acceptLoss());
  }

  putStripes(records: readonly StripeRecord[]): Promise<void> {
    return this.#shared.stripes.put(records);
  }

  stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]> {
    return this.#shared.stripes.get(ids);
  }

  stripeIds(page: StripePage): Promise<readonly StripeId[]> {
    return this.#shared.stripes.ids(page);
  }

  moveChunks(moves: readonly ChunkMove[]): Promise<void> {
    return this.#shared.stripes.move(moves);
  }

  unreferenced(session: SessionToken, ids: readonly StripeId[]): Promise<readonly StripeId[]> {
    return this.#users.with(session, (catalog) => catalog.unreferenced(ids));
  }

  async heads(user: UserId): Promise<readonly CatalogHead[]> {
    const remembered = this.#shared.memory
      .heads(user)
      .map(({ peer, counter }) => ({ peer, written: counter, come: 0 }));
    const heads = new Map(remembered.map((head) => [head.peer, head]));
    for (const head of await this.#users.heads(user)) {
      // What was written into a database that is not whole here is remembered, and is not in the view.
      heads.set(head.peer, { ...head, written: Math.max(head.written, heads.get(head.peer)?.written ?? 0) });
    }
    return [...heads.values()];
  }

  async forgetStripes(session: SessionToken, ids: readonly StripeId[]): Promise<void> {
    const { user, ring } = this.#users.use(session);
    const issuedMs = (this.#options.now ?? Date.now)();
    await this.#shared.stripes.forget(ids, { owner: user.owner, by: ring.signer, issuedMs });
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
    const { watch, users, shared, ownHost } = this.#parts;
    await watch.close();
    await users.close();
    await shared.close();
    await ownHost?.close();
  }

  /** Whoever unlocks a user here wants the user's databases here. */
  async #settle(session: Session): Promise<void> {
    const { user } = session;
    try {
      await this.#users.use(session).arrive();
    } catch (error) {
      // What is here can be read all the same; the next unlock tries again.
      this.#options.logger.warn({ user, err: error }, 'that the user is at home here could not be noted');
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

function userAccess(options: LocalCatalogOptions, host: DocumentHost, shared: SharedDocuments): UserAccess {
  const { membership, logger, argon2, pendingHosts, sessionIdleMs, now = Date.now } = options;
  const { peer } = membership;
  const { network, problems, memory } = shared;
  return new UserAccess({
    records: network,
    peer,
    async open(user, ring) {
      const peerName = nameOf(await network.peers(), peer);
      const { owner } = user;
      const isOwn = (home: UserHome): boolean => home.user === owner;
      const homes = async (): Promise<PeerId[]> => (await network.homes()).filter(isOwn).map((home) => home.peer);
      const heads = { problems, memory: headMemory(memory, owner) };
      const generations = new UserGenerations({ user: owner, host, peer, peerName, logger, now, homes, heads });
      const home = new OwnHome({ user: owner, peer, network, now });
      return OpenUser.open({ user, ring, generations, home, peer, logger });
    },
    networkName: async () => (await network.network()).name,
    pendingHosts,
    logger,
    now,
    cost: argon2,
    sessionIdleMs,
  });
}
