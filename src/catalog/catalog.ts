import type { ChunkId, FileId, PeerId, StripeId, UserId, VersionId } from '../chunk/ids.js';
import type { Receipt } from '../chunk/chunk-store.js';
import type { PeerRecord } from '../peers/peer-record.js';

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
}

export interface VersionSummary {
  readonly version: VersionId;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly createdMs: number;
  readonly current: boolean;
}

/** A file that a put has stored and that is to become visible. */
export interface NewVersion {
  readonly path: string;
  readonly manifest: Manifest;
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

/** Chunks that no version refers to any more, and where they lie. */
export interface FreedStripe {
  readonly stripe: StripeId;
  readonly chunks: readonly { readonly id: ChunkId; readonly peer: PeerId }[];
}

export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** PEM certificate of the network authority. */
  readonly authority: string;
  /** Peers that may be lost; absent = the default for the number of peers. */
  readonly tolerate?: number;
}

export interface UserSummary {
  readonly id: UserId;
  readonly name: string;
  readonly unlocked: boolean;
}

/** What an unlocked user can do; opaque, random, held in memory only. */
export interface SessionToken {
  readonly token: string;
}

export interface Session extends SessionToken {
  readonly user: UserId;
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Each purpose has its own context string, so a signature for one never serves another. */
export type SigningPurpose = 'label' | 'grant' | 'delete';

/**
 * What is stored. Implemented by the DB Service over PouchDB, and by its gRPC client; a contract suite holds both.
 *
 * Every path is absolute and checked (INVALID_ARGUMENT for "..", control characters, too long). Every method that takes a
 * session rejects with LOCKED when it has expired or was locked. What a method resolved would survive a power cut.
 */
export interface Catalog extends AsyncDisposable {
  network(): Promise<NetworkRecord>;
  setNetwork(record: NetworkRecord): Promise<void>;
  peers(): Promise<readonly PeerRecord[]>;
  setPeer(record: PeerRecord): Promise<void>;

  users(): Promise<readonly UserSummary[]>;
  /** ALREADY_EXISTS for a taken name. */
  createUser(name: string, passphrase: string): Promise<UserSummary>;
  /** The user's public document as one portable value, so that another peer can become the user's home. */
  exportUser(name: string): Promise<Uint8Array>;
  importUser(document: Uint8Array): Promise<UserSummary>;
  /** UNAUTHENTICATED for an unknown name or a wrong passphrase, indistinguishably. */
  unlock(name: string, passphrase: string): Promise<Session>;
  lock(session: SessionToken): Promise<void>;

  /** Ed25519 signature under the purpose's context: the encoded shoal.v1.Signed. */
  sign(session: SessionToken, purpose: SigningPurpose, body: Uint8Array): Promise<Uint8Array>;
  /** The key for one stripe's directory, derived from the root key and a 32-byte random salt. */
  directoryKey(session: SessionToken, salt: Uint8Array): Promise<Uint8Array>;

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
  /** Makes the versions visible, all or none; creates missing parent folders. */
  commit(session: SessionToken, versions: readonly NewVersion[]): Promise<void>;
  makeFolder(session: SessionToken, path: string): Promise<void>;
  /** Renames or moves a file or folder. ALREADY_EXISTS when something is at `to`. */
  move(session: SessionToken, from: string, to: string): Promise<void>;
  /** CONFLICT for a non-empty folder without `recursive`. Returns the stripes that nothing refers to any more. */
  remove(
    session: SessionToken,
    path: string,
    options?: { readonly recursive?: boolean },
  ): Promise<{ readonly files: number; readonly freed: readonly FreedStripe[] }>;

  /** Before `commit`: a version must never refer to a stripe that the catalog does not know. */
  putStripes(records: readonly StripeRecord[]): Promise<void>;
  /** In the order asked; undefined where unknown. */
  stripes(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]>;
  /** After every chunk's deletion is acknowledged. */
  forgetStripes(ids: readonly StripeId[]): Promise<void>;
}
