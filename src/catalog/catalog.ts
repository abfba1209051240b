import type { ChunkId, FileId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import type { Receipt } from '../chunk/chunk-store.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import type { CompactionCatalog } from './compaction.js';
import type { SshKey } from './users/ssh-key.js';

export type { SshKey };

/** One run of a file's bytes, sealed under a key of its own. */
export interface ExtentRef {
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly stripe: StripeId;
  /** Where the sealed extent begins in its stripe. */
  readonly offset: number;
  readonly sealedBytes: number;
  /** Plaintext bytes. */
  readonly bytes: number;
}

/** How to rebuild one version of a file. */
export interface Manifest {
  readonly file: FileId;
  readonly version: VersionId;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** POSIX permission bits. */
  readonly mode: number;
  /** In order; their lengths add up to `bytes`. An empty file has none. */
  readonly extents: readonly ExtentRef[];
}

export interface Entry {
  /** Absolute, normalised: "/photos/cat.jpg". The root is "/". */
  readonly path: string;
  readonly type: 'file' | 'folder';
  /** 0 for a folder. */
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly mode: number;
  /** The newest version; absent for a folder. */
  readonly version?: VersionId;
  /** Opaque: the manifest of the version is another when this is. Absent: its bytes lie where they were stored first. */
  readonly moved?: string;
}

/** Something in the trash. */
export interface DeletedEntry {
  /** Where it was. */
  readonly path: string;
  readonly type: 'file' | 'folder';
  /** In it, when it is a folder. */
  readonly files: number;
  readonly bytes: number;
  readonly deletedMs: number;
}

export interface VersionSummary {
  readonly version: VersionId;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly createdMs: number;
  readonly current: boolean;
}

/** What the newest version at a path has to be, for another one to become visible there. */
export interface Precondition {
  /** It has to be one of `versions`; else it must be none of them. */
  readonly among: boolean;
  /** null: there is no file. */
  readonly versions: readonly (VersionId | null)[];
}

/** A file that a put has stored and that is to become visible. */
export interface NewVersion {
  readonly path: string;
  readonly manifest: Manifest;
  /** All of them have to hold in the same step in which it becomes visible, at this peer; absent: none. */
  readonly onlyIf?: readonly Precondition[] | undefined;
  /** Unix time of its put, for one that was stored earlier; absent: now. */
  readonly createdMs?: number;
  /** What was put at this path later than this stays the newest: it is announced once more. */
  readonly behindLater?: boolean;
}

export interface Placement {
  readonly peer: PeerId;
  /** The peer's signed promise; absent while the chunk waits for repair. */
  readonly receipt?: Receipt;
}

export interface StripeRecord {
  readonly id: StripeId;
  readonly owner: UserId;
  readonly k: number;
  readonly m: number;
  /** Bytes before padding. */
  readonly bytes: number;
  readonly chunkBytes: number;
  /** k + m ids. */
  readonly chunks: readonly ChunkId[];
  /** Where each chunk lies, same order; undefined = nowhere yet (queued for repair). */
  readonly placement: readonly (Placement | undefined)[];
  /** The owner's signed label. */
  readonly label: Uint8Array;
}

/** Which of the stripes that are known. */
export interface StripePage {
  readonly after?: StripeId;
  /** 1 … STRIPE_ID_PAGE. */
  readonly limit: number;
}

/** Chunks that no version refers to any more, and where they lie. */
export interface FreedStripe {
  readonly stripe: StripeId;
  readonly chunks: readonly { readonly id: ChunkId; readonly peer: PeerId }[];
}

/** How far a peer has got with a user's catalog. Counters of changes; 0: none. */
export interface CatalogHead {
  /** The author of the changes. */
  readonly peer: PeerId;
  /** Of its newest change that was ever seen here. */
  readonly written: number;
  /** All of its changes up to this one are here and read; 0 while the user is locked. */
  readonly come: number;
}

/** A chunk has been stored at another peer than before. */
export interface ChunkMove {
  readonly stripe: StripeId;
  readonly chunk: ChunkId;
  /** Of the new place. */
  readonly receipt: Receipt;
}

/** What the network authority decides. */
export interface NetworkPolicy {
  readonly name: string;
  /** Peers that may be lost; absent = the default for the number of peers. */
  readonly tolerate?: number;
}

export interface NetworkRecord extends NetworkPolicy {
  /** Peers that hold the authority's key, in ascending order. */
  readonly authorities: readonly PeerId[];
  /** SHA-256 of the authority's public key, in hex. */
  readonly id: string;
  /** PEM certificate of the network authority. */
  readonly authority: string;
}

/** The user's databases are kept at the peer, which unlocks them. */
export interface UserHome {
  readonly user: UserId;
  readonly peer: PeerId;
}

/** A document of the shared databases that is not as it should be. */
export interface RecordProblem {
  /** Its id. */
  readonly document: string;
  /**
   * refused: forged, altered or garbage; what is right is used all the same, if there is any.
   * replayed: the database held an older state than this peer has seen. newer: upgrade Shoal.
   * lost: deleted without its owner, or altered, and its text is not to be had here.
   */
  readonly kind: 'refused' | 'replayed' | 'newer' | 'lost';
  readonly reason: string;
}

export interface UserSummary {
  readonly id: UserId;
  readonly name: string;
  readonly unlocked: boolean;
  /** Of the user's keys, from 1; grants and orders to delete under an older one are refused. */
  readonly generation: number;
  /** There is a recovery kit. */
  readonly kit: boolean;
}

/** A user's secrets were replaced. */
export interface PassphraseChange {
  readonly user: UserSummary;
  /** Names of the backup hosts that have not taken it yet: what was replaced still opens their copy. */
  readonly pendingHosts: readonly string[];
}

/** A new recovery kit. The words are nowhere else, and never shown again. */
export interface RecoveryKitSheet extends PassphraseChange {
  readonly words: readonly string[];
  /** Of the network, for people. */
  readonly network: string;
  readonly createdMs: number;
}

/** How far the keys of a user are rotated. */
export interface KeyRotation {
  /** The present generation of the keys. */
  readonly generation: number;
  /** running: files of older generations are being sealed anew, or will be at the next unlock. */
  readonly state: 'none' | 'running';
  /** Entries of the catalog, and what is left of removed ones, that are under the new keys by now; and all of them. */
  readonly done: number;
  readonly total: number;
}

export interface RotationOptions {
  /** Absent: as fast as it goes. */
  readonly entriesPerSecond?: number;
}

/** What an unlocked user can do; opaque, random, held in memory only. */
export interface SessionToken {
  readonly token: string;
}

export interface Session extends SessionToken {
  readonly user: UserId;
  readonly name: string;
  /** Ed25519, 32 bytes: the first of the user's signing keys, of which the user id is the hash. */
  readonly publicKey: Uint8Array;
  /** A second token of this session, for work that nobody asked for just now: its use does not keep the session open. */
  readonly background: string;
  readonly generation: number;
  readonly kit: boolean;
}

export interface RemoveOptions {
  readonly recursive?: boolean;
  readonly forever?: boolean;
}

export interface Removal {
  readonly files: number;
}

/** Something was removed for ever, and every peer that could have taken it up again knows of it. */
export interface DueRemoval {
  /** Opaque. */
  readonly node: string;
  /** That something in it refers to, maybe among others. */
  readonly stripes: readonly FreedStripe[];
}

export interface DueRemovals {
  readonly due: readonly DueRemoval[];
  /** Homes of the user that have not answered yet: the rest of what was removed here waits for them. */
  readonly waitingFor: readonly PeerId[];
}

export interface PassphraseToChange {
  readonly name: string;
  readonly old: string;
  readonly next: string;
  /** The session that is not locked: that of whoever changes it. */
  readonly keep?: SessionToken | undefined;
}

export interface SshKeyToAdd {
  readonly name: string;
  readonly passphrase: string;
  /** One line as ssh-keygen writes it. */
  readonly key: string;
  /** For people; empty: the line's comment. */
  readonly label: string;
}

export interface SshKeyToRemove {
  readonly name: string;
  readonly passphrase: string;
  /** Its fingerprint, or the name of one only. */
  readonly which: string;
}

/** What a file keeps besides its bytes; absent: stays as it is. */
export interface Attributes {
  readonly modifiedMs?: number;
  /** POSIX permission bits. */
  readonly mode?: number;
}

export interface MoveOptions {
  /** A file at the target gets what is moved as its newest version, and keeps its older ones. */
  readonly replace?: boolean;
}

/** Each purpose has its own context string, so a signature for one never serves another. */
export type SigningPurpose = 'label' | 'grant' | 'delete' | 'inventory';

/**
 * What is stored. Implemented by the DB Service over PouchDB, and by its gRPC client; a contract suite holds both.
 *
 * Every path is absolute and checked (INVALID_ARGUMENT for "..", control characters, too long). Every method that takes a
 * session rejects with LOCKED when it has expired or was locked. What a method resolved would survive a power cut.
 */
export interface Catalog extends AsyncDisposable {
  readonly compaction: CompactionCatalog;
  network(): Promise<NetworkRecord>;
  /** PERMISSION_DENIED where the authority's key is not; the same for setPeerState. UNSUPPORTED over a newer format. */
  setNetwork(policy: NetworkPolicy): Promise<void>;
  peers(): Promise<readonly PeerRecord[]>;
  /** What this peer says of itself. PERMISSION_DENIED for another one. */
  setPeer(profile: PeerProfile): Promise<void>;
  setPeerState(peer: PeerId, state: PeerRecord['state']): Promise<void>;
  /** Which users are at home where. An unlock makes its peer a home; a peer that was removed is none. */
  homes(): Promise<readonly UserHome[]>;
  /** The user's databases are kept at this peer no longer, until the user is unlocked there. */
  leaveHome(session: SessionToken, peer: PeerId): Promise<void>;
  /** What of the shared databases was not believed, as far as it was read since this peer started. */
  problems(): Promise<readonly RecordProblem[]>;

  users(): Promise<readonly UserSummary[]>;
  /** ALREADY_EXISTS for a taken name. */
  createUser(name: string, passphrase: string): Promise<UserSummary>;
  /** The user's public document as one portable value, so that another peer can become the user's home. */
  exportUser(name: string): Promise<Uint8Array>;
  importUser(document: Uint8Array): Promise<UserSummary>;
  /** UNAUTHENTICATED for an unknown name or a wrong passphrase, indistinguishably. */
  unlock(name: string, passphrase: string): Promise<Session>;
  lock(session: SessionToken): Promise<void>;
  /** Whether the session is still open; asking is no use of it. */
  isUnlocked(session: SessionToken): Promise<boolean>;

  /**
   * Replaces the passphrase, locks all sessions of the user but `keep`, and proves that the old one opens nothing any more
   * that this peer holds (CONFLICT when it does). UNAUTHENTICATED as unlock.
   */
  changePassphrase(change: PassphraseToChange): Promise<PassphraseChange>;
  /** Makes a recovery kit and retires the one before. UNAUTHENTICATED as unlock. */
  makeKit(name: string, passphrase: string): Promise<RecoveryKitSheet>;
  /** A new passphrase by the words of the kit. INVALID_ARGUMENT says what is wrong with words that no kit has. */
  recoverWithKit(name: string, words: string, next: string): Promise<PassphraseChange>;
  /** The public keys that let the user into SFTP. NOT_FOUND for an unknown name. */
  sshKeys(name: string): Promise<readonly SshKey[]>;
  /** UNAUTHENTICATED as unlock; INVALID_ARGUMENT for what is no good key, ALREADY_EXISTS, LIMIT_EXCEEDED. @returns all */
  addSshKey(key: SshKeyToAdd): Promise<readonly SshKey[]>;
  /** UNAUTHENTICATED as unlock; NOT_FOUND; CONFLICT when several have that name. @returns those that are left */
  removeSshKey(key: SshKeyToRemove): Promise<readonly SshKey[]>;
  /**
   * Gives the user new keys and seals the catalog anew under them, telling how far that is. Leaving the iteration pauses it
   * until the next unlock; the new keys are valid from the first element on. The recovery kit ends with the old keys. Where
   * the keys were rotated before and not all is sealed anew, it goes on with that instead.
   */
  rotateKeys(session: SessionToken, passphrase: string, options?: RotationOptions): AsyncIterable<KeyRotation>;
  keyRotation(session: SessionToken): Promise<KeyRotation>;

  /** Ed25519 signature under the purpose's context: the encoded shoal.v1.Signed. */
  sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array>;
  /**
   * The key for one stripe's directory, derived from the root key and a 32-byte random salt. Of the present generation,
   * unless the directory is older: its label says which signed it. NOT_FOUND for a generation that is not there.
   */
  directoryKey(session: SessionToken, salt: Uint8Array, generation?: number): Promise<Uint8Array>;

  /** NOT_FOUND when there is nothing at `path`. */
  stat(session: SessionToken, path: string): Promise<Entry>;
  /** The entries of a folder by name; with `recursive` the whole tree below it, parents first. A file lists itself. */
  list(session: SessionToken, path: string, options?: { readonly recursive?: boolean }): Promise<readonly Entry[]>;
  versions(session: SessionToken, path: string): Promise<readonly VersionSummary[]>;
  /** The newest version unless another is asked for. */
  manifest(session: SessionToken, path: string, version?: VersionId): Promise<Manifest>;
  /** Many at once, in order; undefined where there is no file. */
  manifests(session: SessionToken, paths: readonly string[]): Promise<readonly (Manifest | undefined)[]>;

  /** The file id to write under: that of the file at each path, or undefined for a new file. CONFLICT if it is a folder. */
  fileIds(session: SessionToken, paths: readonly string[]): Promise<readonly (FileId | undefined)[]>;
  /** Those of `versions` that were ever visible, wherever they lie now; also those that were removed since. */
  knownVersions(session: SessionToken, versions: readonly VersionId[]): Promise<ReadonlySet<VersionId>>;
  /** Makes the versions visible, all or none; creates missing parent folders. PRECONDITION_FAILED where an `onlyIf` does not hold. */
  commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void>;
  makeFolder(session: SessionToken, path: string): Promise<void>;
  /** Renames or moves a file or folder, in one step. ALREADY_EXISTS when something is at `to`, unless a file replaces a file. */
  move(session: SessionToken, from: string, to: string, options?: MoveOptions): Promise<void>;
  /**
   * Gives the newest version of a file another time or mode; that takes the place of the version, and has an id of its own.
   * Folders keep neither: nothing changes.
   */
  setAttributes(session: SessionToken, path: string, attributes: Attributes): Promise<Entry>;
  /**
   * Moves what is at `path` into the trash, whatever its size. CONFLICT for a non-empty folder without `recursive`. With
   * `forever` it is removed instead, also from the trash: it is not shown any more, and is carried out when all homes of the
   * user know. What somebody does in it before he knows calls that off. UNAVAILABLE while a part of the catalog is missing.
   */
  remove(session: SessionToken, path: string, options?: RemoveOptions): Promise<Removal>;
  /** What is in the trash, by path. */
  deleted(session: SessionToken): Promise<readonly DeletedEntry[]>;
  /**
   * Takes back what was removed at `path` last, under another name when something is there; its folders are made anew
   * where they are gone. With a version, that becomes the newest of the file at `path`. NOT_FOUND; ALREADY_EXISTS for what
   * is there and was not removed.
   */
  restore(session: SessionToken, path: string, version?: VersionId): Promise<Entry>;
  /** Removes for ever what was put into the trash, and not touched since, before `untilMs` (Unix time). As of `remove`. */
  emptyTrash(session: SessionToken, untilMs: number): Promise<Removal>;
  /** Those removals for ever that this peer can carry out, some at a time; it may run twice. */
  dueRemovals(session: SessionToken): Promise<DueRemovals>;
  /**
   * Carries out those of the due ones. Whoever calls it has written down their stripes before, so that none is forgotten.
   *
   * @returns the stripes that no version refers to any more
   */
  carryOutRemovals(session: SessionToken, nodes: readonly string[]): Promise<readonly StripeId[]>;

  /** Before `commit`: a version must never refer to a stripe that the catalog does not know. */
  putStripes(records: readonly StripeRecord[]): Promise<void>;
  /**
   * In the order asked, each with the newest place of every chunk; undefined where unknown. One whose record is damaged
   * or lost counts as unknown, and is among the problems.
   */
  stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]>;
  /**
   * Of the stripes that this peer knows, be they damaged, the next ids behind `after` in ascending order, or the first;
   * `limit` at most, and none at the end.
   */
  stripeIds(page: StripePage): Promise<readonly StripeId[]>;
  /** INVALID_ARGUMENT for a stripe that is unknown, PERMISSION_DENIED for a receipt that its peer did not sign. */
  moveChunks(moves: readonly ChunkMove[]): Promise<void>;
  /**
   * Those of `ids` that no version of the session's user refers to, be it in the trash. UNAVAILABLE while that cannot be told,
   * because a part of the catalog is missing. None while the catalog holds no change at all: it may have been lost.
   */
  unreferenced(session: SessionToken, ids: readonly StripeId[]): Promise<readonly StripeId[]>;
  /** How far the user's catalog is here, for each peer that has written into it; also while the user is locked. */
  heads(user: UserId): Promise<readonly CatalogHead[]>;
  /**
   * What this peer has seen of the user's catalog before and does not have any more is given up: it was rebuilt from what the
   * peers hold. Until then no space is given back.
   */
  acceptLoss(session: SessionToken): Promise<void>;
  /** After every chunk's deletion is acknowledged. Stripes of other users are passed over. */
  forgetStripes(session: SessionToken, ids: readonly StripeId[]): Promise<void>;
}
