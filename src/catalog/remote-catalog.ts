import {
  idBytes,
  parsePeerId,
  parseStripeId,
  parseFileId,
  parseUserId,
  parseVersionId,
  type FileId,
  type PeerId,
  type StripeId,
  type UserId,
  type VersionId,
} from '../chunk/ids.js';
import { DbServiceService as Db, type CommitRequest } from '../gen/shoal/v1/db.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import type {
  Attributes,
  Catalog,
  CatalogHead,
  ChunkMove,
  DeletedEntry,
  DueRemovals,
  Entry,
  KeyRotation,
  Manifest,
  MoveOptions,
  NetworkPolicy,
  NetworkRecord,
  NewVersion,
  PassphraseChange,
  PassphraseToChange,
  RecoveryKitSheet,
  RotationOptions,
  RecordProblem,
  Removal,
  RemoveOptions,
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
import { StorageError } from '../errors.js';
import { MAX_RECEIPT_BYTES } from '../limits.js';
import { DbConnection } from './db-connection.js';
import { pages } from './pages.js';
import { checkUnicode } from './path.js';
import { RemoteCompaction } from './remote-compaction.js';
import { ManifestAssembly, partBytes, versionParts } from './wire-manifest.js';
import {
  decodeEntry,
  decodeKeyRotation,
  decodeHome,
  decodeNetwork,
  decodePassphraseChange,
  decodePeer,
  decodeProblem,
  decodeStripe,
  decodeUser,
  decodeVersionSummary,
  encodeMove,
  encodePeer,
  encodeStripe,
  ownBytes,
  stripeBytes,
} from './wire-records.js';
import { decodeDeleted, readDue, readRemoval } from './wire-trash.js';

/** Of an id in a list: tag, length, 32 bytes. */
const ID_FIELD_BYTES = 34;
/** Two ids, a receipt and its signature, at most. */
const MOVE_BYTES = 160 + MAX_RECEIPT_BYTES;
const NO_ID = new Uint8Array(0);

function pathBytes(path: string): number {
  // A character takes three bytes of UTF-8 at most.
  return 4 + path.length * 3;
}

function sent(path: string): string {
  checkUnicode(path);
  return path;
}

/** A field of a message is a part of the message's memory. */
function decodeSshKey(key: SshKey): SshKey {
  return { ...key, fingerprint: ownBytes(key.fingerprint) };
}

function idFieldBytes(): number {
  return ID_FIELD_BYTES;
}

/** The catalog of the DB Service, over its unix socket. What would not fit one message goes in several. */
export class RemoteCatalog implements Catalog {
  readonly compaction: RemoteCompaction;
  readonly #db: DbConnection;

  private constructor(db: DbConnection) {
    this.#db = db;
    this.compaction = new RemoteCompaction(db);
  }

  /** @param socket path of the DB Service's socket */
  static async open(socket: string): Promise<RemoteCatalog> {
    return new RemoteCatalog(new DbConnection(socket));
  }

  async network(): Promise<NetworkRecord> {
    return decodeNetwork(await this.#db.unary(Db.getNetwork, {}));
  }

  async setNetwork({ name, tolerate }: NetworkPolicy): Promise<void> {
    await this.#db.unary(Db.setNetwork, { name, tolerate });
  }

  async peers(): Promise<readonly PeerRecord[]> {
    const peers: PeerRecord[] = [];
    for await (const peer of this.#db.stream(Db.listPeers, {})) peers.push(decodePeer(peer));
    return peers;
  }

  async setPeer(profile: PeerProfile): Promise<void> {
    await this.#db.unary(Db.setPeer, encodePeer({ ...profile, state: 'member' }));
  }

  async setPeerState(peer: PeerId, state: PeerRecord['state']): Promise<void> {
    await this.#db.unary(Db.setPeerState, { peer: idBytes(peer), state });
  }

  async homes(): Promise<readonly UserHome[]> {
    const homes: UserHome[] = [];
    for await (const page of this.#db.stream(Db.listHomes, {})) {
      for (const home of page.homes) homes.push(decodeHome(home));
    }
    return homes;
  }

  async leaveHome(session: SessionToken, peer: PeerId): Promise<void> {
    await this.#db.unary(Db.leaveHome, { session: session.token, peer: idBytes(peer) });
  }

  async problems(): Promise<readonly RecordProblem[]> {
    const problems: RecordProblem[] = [];
    for await (const problem of this.#db.stream(Db.listProblems, {})) problems.push(decodeProblem(problem));
    return problems;
  }

  async users(): Promise<readonly UserSummary[]> {
    const users: UserSummary[] = [];
    for await (const user of this.#db.stream(Db.listUsers, {})) users.push(decodeUser(user));
    return users;
  }

  async createUser(name: string, passphrase: string): Promise<UserSummary> {
    return decodeUser(await this.#db.unary(Db.createUser, { name, passphrase }));
  }

  async exportUser(name: string): Promise<Uint8Array> {
    return ownBytes((await this.#db.unary(Db.exportUser, { name })).document);
  }

  async importUser(document: Uint8Array): Promise<UserSummary> {
    return decodeUser(await this.#db.unary(Db.importUser, { document }));
  }

  async unlock(name: string, passphrase: string): Promise<Session> {
    const unlocked = await this.#db.unary(Db.unlock, { name, passphrase });
    const { session: token, user, publicKey, name: asked, background, generation, kit } = unlocked;
    const session = { token, background, user: parseUserId(user), name: asked, generation, kit };
    return { ...session, publicKey: ownBytes(publicKey) };
  }

  async lock(session: SessionToken): Promise<void> {
    await this.#db.unary(Db.lock, { session: session.token });
  }

  async isUnlocked(session: SessionToken): Promise<boolean> {
    return (await this.#db.unary(Db.isUnlocked, { session: session.token })).unlocked;
  }

  async changePassphrase(change: PassphraseToChange): Promise<PassphraseChange> {
    const { name, old, next, keep } = change;
    const request = { name, old, next, keep: keep?.token ?? '' };
    return decodePassphraseChange(await this.#db.unary(Db.changePassphrase, request));
  }

  async makeKit(name: string, passphrase: string): Promise<RecoveryKitSheet> {
    const { change, words, network, createdMs } = await this.#db.unary(Db.makeKit, { name, passphrase });
    return { ...decodePassphraseChange(change), words, network, createdMs };
  }

  async recoverWithKit(name: string, words: string, next: string): Promise<PassphraseChange> {
    return decodePassphraseChange(await this.#db.unary(Db.recoverWithKit, { name, words, next }));
  }

  async sshKeys(name: string): Promise<readonly SshKey[]> {
    return (await this.#db.unary(Db.listSshKeys, { name })).keys.map(decodeSshKey);
  }

  async addSshKey(key: SshKeyToAdd): Promise<readonly SshKey[]> {
    return (await this.#db.unary(Db.addSshKey, key)).keys.map(decodeSshKey);
  }

  async removeSshKey(key: SshKeyToRemove): Promise<readonly SshKey[]> {
    return (await this.#db.unary(Db.removeSshKey, key)).keys.map(decodeSshKey);
  }

  async *rotateKeys(session: SessionToken, passphrase: string, options?: RotationOptions): AsyncGenerator<KeyRotation> {
    const request = { session: session.token, passphrase, entriesPerSecond: options?.entriesPerSecond ?? 0 };
    for await (const rotation of this.#db.stream(Db.rotateKeys, request, { long: true }))
      yield decodeKeyRotation(rotation);
  }

  async keyRotation(session: SessionToken): Promise<KeyRotation> {
    return decodeKeyRotation(await this.#db.unary(Db.getKeyRotation, { session: session.token }));
  }

  async sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array> {
    return ownBytes((await this.#db.unary(Db.sign, { session: session.token, purpose, body })).signed);
  }

  async directoryKey(session: SessionToken, salt: Uint8Array, generation = 0): Promise<Uint8Array> {
    return ownBytes((await this.#db.unary(Db.getDirectoryKey, { session: session.token, salt, generation })).key);
  }

  async stat(session: SessionToken, path: string): Promise<Entry> {
    return decodeEntry(await this.#db.unary(Db.stat, { session: session.token, path: sent(path) }));
  }

  async list(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const request = { session: session.token, path: sent(path), recursive: options?.recursive ?? false };
    for await (const page of this.#db.stream(Db.list, request)) {
      for (const entry of page.entries) entries.push(decodeEntry(entry));
    }
    return entries;
  }

  async versions(session: SessionToken, path: string): Promise<readonly VersionSummary[]> {
    const versions: VersionSummary[] = [];
    for await (const page of this.#db.stream(Db.listVersions, { session: session.token, path: sent(path) })) {
      for (const version of page.versions) versions.push(decodeVersionSummary(version));
    }
    return versions;
  }

  async manifest(session: SessionToken, path: string, version?: VersionId): Promise<Manifest> {
    const assembly = new ManifestAssembly<undefined>();
    const request = {
      session: session.token,
      path: sent(path),
      version: version === undefined ? NO_ID : idBytes(version),
    };
    for await (const page of this.#db.stream(Db.getManifest, request)) {
      for (const part of page.parts) assembly.add(undefined, part);
    }
    const [found] = assembly.finish();
    if (found === undefined) throw new StorageError('UNAVAILABLE', 'The DB Service ended a call without an answer.');
    return found.manifest;
  }

  async manifests(session: SessionToken, paths: readonly string[]): Promise<readonly (Manifest | undefined)[]> {
    const manifests: (Manifest | undefined)[] = [];
    for (const slice of pages(paths.map(sent), pathBytes)) {
      const assembly = new ManifestAssembly<number>();
      for await (const page of this.#db.stream(Db.getManifests, { session: session.token, paths: slice })) {
        for (const part of page.parts) assembly.add(part.index, part);
      }
      const found = new Map(assembly.finish().map(({ name, manifest }) => [name, manifest]));
      for (const index of slice.keys()) manifests.push(found.get(index));
    }
    return manifests;
  }

  async fileIds(session: SessionToken, paths: readonly string[]): Promise<readonly (FileId | undefined)[]> {
    const found: (FileId | undefined)[] = [];
    for (const slice of pages(paths.map(sent), pathBytes)) {
      const { ids } = await this.#db.unary(Db.getFileIds, { session: session.token, paths: slice });
      for (const id of ids) found.push(id.length === 0 ? undefined : parseFileId(id));
    }
    return found;
  }

  async knownVersions(session: SessionToken, versions: readonly VersionId[]): Promise<ReadonlySet<VersionId>> {
    const known = new Set<VersionId>();
    for (const slice of pages(versions, idFieldBytes)) {
      const request = { session: session.token, versions: slice.map(idBytes) };
      for (const id of (await this.#db.unary(Db.getKnownVersions, request)).versions) known.add(parseVersionId(id));
    }
    return known;
  }

  async commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void> {
    for (const { path } of versions) checkUnicode(path);
    await this.#db.upload(Db.commit, commitRequests(session, versions));
  }

  async makeFolder(session: SessionToken, path: string): Promise<void> {
    await this.#db.unary(Db.makeFolder, { session: session.token, path: sent(path) });
  }

  async move(session: SessionToken, from: string, to: string, options?: MoveOptions): Promise<void> {
    const request = { from: sent(from), to: sent(to), replace: options?.replace ?? false };
    await this.#db.unary(Db.move, { session: session.token, ...request });
  }

  async setAttributes(session: SessionToken, path: string, { modifiedMs, mode }: Attributes): Promise<Entry> {
    const request = { session: session.token, path: sent(path), modifiedMs, mode };
    return decodeEntry(await this.#db.unary(Db.setAttributes, request));
  }

  remove(session: SessionToken, path: string, options?: RemoveOptions): Promise<Removal> {
    const { recursive = false, forever = false } = options ?? {};
    const request = { session: session.token, path: sent(path), recursive, forever };
    return readRemoval(this.#db.stream(Db.remove, request));
  }

  async deleted(session: SessionToken): Promise<readonly DeletedEntry[]> {
    const deleted: DeletedEntry[] = [];
    for await (const { entries } of this.#db.stream(Db.listDeleted, { session: session.token })) {
      for (const entry of entries) deleted.push(decodeDeleted(entry));
    }
    return deleted;
  }

  async restore(session: SessionToken, path: string, version?: VersionId): Promise<Entry> {
    const request = { path: sent(path), version: version === undefined ? NO_ID : idBytes(version) };
    return decodeEntry(await this.#db.unary(Db.restore, { session: session.token, ...request }));
  }

  emptyTrash(session: SessionToken, untilMs: number): Promise<Removal> {
    return readRemoval(this.#db.stream(Db.emptyTrash, { session: session.token, untilMs }));
  }

  dueRemovals(session: SessionToken): Promise<DueRemovals> {
    return readDue(this.#db.stream(Db.findDueRemovals, { session: session.token }));
  }

  async carryOutRemovals(session: SessionToken, nodes: readonly string[]): Promise<readonly StripeId[]> {
    const request = { session: session.token, nodes: nodes.map((node) => idBytes(node)) };
    const freed: StripeId[] = [];
    for await (const { stripes } of this.#db.stream(Db.carryOutRemovals, request)) {
      for (const stripe of stripes) freed.push(parseStripeId(stripe));
    }
    return freed;
  }

  async acceptLoss(session: SessionToken): Promise<void> {
    await this.#db.unary(Db.acceptLoss, { session: session.token });
  }

  async putStripes(records: readonly StripeRecord[]): Promise<void> {
    for (const stripes of pages(records.map(encodeStripe), stripeBytes)) {
      await this.#db.unary(Db.putStripes, { stripes });
    }
  }

  async stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]> {
    const records: (StripeRecord | undefined)[] = [];
    for (const slice of pages(ids, idFieldBytes)) {
      const found = new Map<number, StripeRecord>();
      for await (const { index, stripe } of this.#db.stream(Db.getStripes, { ids: slice.map(idBytes) })) {
        if (stripe !== undefined) found.set(index, decodeStripe(stripe));
      }
      for (const index of slice.keys()) records.push(found.get(index));
    }
    return records;
  }

  async stripeIds({ after, limit }: StripePage): Promise<readonly StripeId[]> {
    const request = { after: after === undefined ? NO_ID : idBytes(after), limit };
    return (await this.#db.unary(Db.listStripes, request)).ids.map(parseStripeId);
  }

  async moveChunks(moves: readonly ChunkMove[]): Promise<void> {
    for (const slice of pages(moves.map(encodeMove), () => MOVE_BYTES)) {
      await this.#db.unary(Db.moveChunks, { moves: slice });
    }
  }

  async unreferenced(session: SessionToken, ids: readonly StripeId[]): Promise<readonly StripeId[]> {
    const found: StripeId[] = [];
    for (const slice of pages(ids, idFieldBytes)) {
      const answer = await this.#db.unary(Db.findUnreferenced, { session: session.token, ids: slice.map(idBytes) });
      found.push(...answer.ids.map(parseStripeId));
    }
    return found;
  }

  async heads(user: UserId): Promise<readonly CatalogHead[]> {
    const { heads } = await this.#db.unary(Db.listHeads, { user: idBytes(user) });
    return heads.map(({ peer, written, come }) => ({ peer: parsePeerId(peer), written, come }));
  }

  async forgetStripes(session: SessionToken, ids: readonly StripeId[]): Promise<void> {
    for (const slice of pages(ids, idFieldBytes)) {
      await this.#db.unary(Db.forgetStripes, { session: session.token, ids: slice.map(idBytes) });
    }
  }

  /** Leaves sessions as they are: they belong to the service. */
  async close(): Promise<void> {
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function* commitRequests(session: SessionToken, versions: readonly NewVersion[]): Generator<CommitRequest> {
  let token = session.token;
  for (const parts of pages(versionParts(versions), partBytes)) {
    yield { session: token, parts };
    token = '';
  }
  // A commit of nothing still answers whether the session is open.
  if (token !== '') yield { session: token, parts: [] };
}
