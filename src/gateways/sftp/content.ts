import type { Session } from '../../catalog/catalog.js';
import type { VersionId } from '../../chunk/ids.js';

/** Bytes of a file, the second not among them. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** One version of a file, as it was when it was opened: also when it has been renamed or removed since, where possible. */
export interface StoredContent {
  readonly version: VersionId;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly mode: number;
  /** @throws StorageError; `signal.reason` on abort */
  read(session: Session, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A file to be put; time and mode are read when its bytes have been. */
export interface ContentToPut {
  readonly path: string;
  readonly modifiedMs: number;
  readonly mode: number;
  readonly source: AsyncIterable<Uint8Array>;
}

/** How the bytes of files come and go: in this process, or by the services that do that in others. */
export interface FileContent {
  /** The newest version. @throws StorageError NOT_FOUND, CONFLICT for a folder */
  open(session: Session, path: string): Promise<StoredContent>;
  /** @returns the version, visible and durable */
  put(session: Session, file: ContentToPut, signal: AbortSignal): Promise<VersionId>;
}
