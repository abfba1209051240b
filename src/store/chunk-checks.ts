import type { ChunkHeader } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { MAX_IDS_PER_CALL } from '../limits.js';

export function checkIdCount(ids: readonly ChunkId[]): void {
  if (ids.length <= MAX_IDS_PER_CALL) return;
  throw new StorageError(
    'LIMIT_EXCEEDED',
    `One call names at most ${String(MAX_IDS_PER_CALL)} chunks; got ${String(ids.length)}.`,
  );
}

/** The order of the bytes is the order of lower-case hex. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export function unknownChunk(id: ChunkId): StorageError {
  return new StorageError('NOT_FOUND', `Chunk ${id.slice(0, 12)}… is not stored here.`);
}

/** @param roomBytes what may still be stored */
export function noSpace(header: ChunkHeader, roomBytes: number): StorageError {
  return new StorageError(
    'NO_SPACE',
    `There is no room for a chunk of ${String(header.bytes)} bytes: ${String(Math.max(0, roomBytes))} are left above the reserve. Free some disk space or add a peer.`,
  );
}
