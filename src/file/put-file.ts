import type { ExtentRef, NewVersion, Precondition } from '../catalog/catalog.js';
import type { FileId, VersionId } from '../chunk/ids.js';
import type { StorageError } from '../errors.js';
import type { DraftId } from './draft/draft.js';
import type { LocalSource } from './worker/protocol.js';

export interface PutFile {
  readonly path: string;
  readonly modifiedMs: number;
  /** POSIX permission bits. */
  readonly mode: number;
  readonly source: LocalSource | AsyncIterable<Uint8Array>;
  /** As NewVersion.onlyIf, of a stream; else it fails with PRECONDITION_FAILED. */
  readonly onlyIf?: readonly Precondition[] | undefined;
  /** false: what an earlier put of a large local file has left is given up, and this one leaves nothing. */
  readonly resume?: boolean;
}

export interface PutResult {
  readonly version: VersionId;
  readonly bytes: number;
  readonly stripes: number;
  /** Chunks that no peer has acknowledged; above 0 the file is safe but degraded. */
  readonly missingChunks: number;
}

export interface BegunDraft {
  readonly id: DraftId;
  readonly storedBytes: number;
  /** There was one of no use, of what the local file was before. */
  readonly changed: boolean;
}

export interface PutEvents {
  /** Plaintext bytes that are safe, since the last call. */
  readonly onProgress?: (bytes: number) => void;
  /** A large local file is put as a draft, which stays when the put breaks off; so much of it an earlier put has stored. */
  readonly onDraft?: (file: PutFile, draft: BegunDraft) => void;
  /** The file is visible and would survive a power cut. */
  readonly onStored: (file: PutFile, result: PutResult) => void;
  /** This file could not be stored; the others go on. */
  readonly onFailed: (file: PutFile, error: StorageError) => void;
}

/** A file on its way through a put. */
export interface FileState {
  readonly file: PutFile;
  readonly id: FileId;
  readonly version: VersionId;
  /** Unix time: orders the versions of a file, should they have to be recovered. */
  readonly createdMs: number;
  /** Known from the start for a local file, at its end for a stream. */
  bytes: number | undefined;
  storedBytes: number;
  missingChunks: number;
  readonly extents: { readonly fileOffset: number; readonly extent: ExtentRef }[];
  failed: boolean;
}

export function toVersion({ file, id, version, bytes, extents }: FileState): NewVersion {
  const ordered = extents.toSorted((a, b) => a.fileOffset - b.fileOffset).map(({ extent }) => extent);
  const { path, modifiedMs, mode, onlyIf } = file;
  return { path, onlyIf, manifest: { file: id, version, bytes: bytes ?? 0, modifiedMs, mode, extents: ordered } };
}

export function toResult({ version, bytes, extents, missingChunks }: FileState): PutResult {
  const stripes = new Set(extents.map(({ extent }) => extent.stripe)).size;
  return { version, bytes: bytes ?? 0, stripes, missingChunks };
}
