import { hash } from 'node:crypto';
import { equalBytes } from '../bytes.js';
import { assert, StorageError } from '../errors.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../limits.js';
import { chunkId, type ChunkId } from './ids.js';

export const HASH_BYTES = 32;

/**
 * One slice of a chunk. The bytes belong to whoever received the segment: it may keep them, and the giver neither changes
 * nor reuses them. (They may be a view of a larger buffer, which they then keep alive.)
 */
export interface Segment {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What a chunk id commits to. */
export interface ChunkShape {
  readonly bytes: number;
  readonly segmentBytes: number;
  /** SHA-256 of every segment, concatenated: 32 × segmentCount bytes. */
  readonly hashes: Uint8Array;
}

export function segmentCount(chunkBytes: number, segmentBytes = SEGMENT_BYTES): number {
  return Math.ceil(chunkBytes / segmentBytes);
}

/** Where segment `index` lies in its chunk; only the last one may be shorter than `segmentBytes`. */
export function segmentRange(
  chunkBytes: number,
  index: number,
  segmentBytes = SEGMENT_BYTES,
): [start: number, end: number] {
  const start = index * segmentBytes;
  assert(index >= 0 && start < chunkBytes, `segment ${String(index)} of a chunk of ${String(chunkBytes)} bytes`);
  return [start, Math.min(start + segmentBytes, chunkBytes)];
}

/** Hashes a whole chunk. Pure. */
export function describeChunk(chunk: Uint8Array, segmentBytes = SEGMENT_BYTES): ChunkShape & { readonly id: ChunkId } {
  const count = segmentCount(chunk.length, segmentBytes);
  const hashes = new Uint8Array(count * HASH_BYTES);
  for (let index = 0; index < count; index++) {
    const [start, end] = segmentRange(chunk.length, index, segmentBytes);
    hashes.set(hash('sha256', chunk.subarray(start, end), 'buffer'), index * HASH_BYTES);
  }
  return { id: chunkId(segmentBytes, chunk.length, hashes), bytes: chunk.length, segmentBytes, hashes };
}

/** True when `segment` is the segment that `shape` commits to. */
export function segmentIsIntact(shape: ChunkShape, segment: Segment): boolean {
  if (segment.index < 0 || segment.index >= segmentCount(shape.bytes, shape.segmentBytes)) return false;
  const [start, end] = segmentRange(shape.bytes, segment.index, shape.segmentBytes);
  if (segment.bytes.length !== end - start) return false;
  const digest = hash('sha256', segment.bytes, 'buffer');
  return equalBytes(digest, shape.hashes.subarray(segment.index * HASH_BYTES, (segment.index + 1) * HASH_BYTES));
}

/**
 * Checks a shape that came from somebody else against the id it claims.
 *
 * @throws StorageError UNSUPPORTED for a segment size of another format, CORRUPT when the id does not follow from it
 */
export function verifyShape(id: ChunkId, shape: ChunkShape): void {
  if (shape.segmentBytes !== SEGMENT_BYTES) {
    throw new StorageError(
      'UNSUPPORTED',
      `This chunk is cut in segments of ${String(shape.segmentBytes)} bytes; this version of Shoal reads ${String(SEGMENT_BYTES)}. Upgrade Shoal on this machine.`,
    );
  }
  const whole = Number.isSafeInteger(shape.bytes) && shape.bytes > 0 && shape.bytes <= MAX_CHUNK_BYTES;
  if (
    !whole ||
    shape.hashes.length !== segmentCount(shape.bytes) * HASH_BYTES ||
    chunkId(shape.segmentBytes, shape.bytes, shape.hashes) !== id
  ) {
    throw new StorageError('CORRUPT', `The hash list of chunk ${id.slice(0, 12)}… does not match its id.`);
  }
}
