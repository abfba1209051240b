import { maxPlainBytes } from '../crypto/seal.js';
import { assert } from '../errors.js';
import { BLOCK_BYTES, MAX_CHUNK_BYTES, MAX_STRIPE_CHUNKS, MIN_DATA_CHUNKS, SEGMENT_BYTES } from '../limits.js';
import { directoryEntryBytes, sealedDirectoryBytes } from './directory.js';

/** The longest stripe that k data chunks hold. */
export function maxStripeBytes(k: number): number {
  assert(k >= MIN_DATA_CHUNKS && k <= MAX_STRIPE_CHUNKS, `${String(k)} data chunks`);
  return k * MAX_CHUNK_BYTES;
}

/** The largest single extent that fits with its directory in a stripe of `stripeBytes`; 0 when none does. */
export function maxExtentPlainBytes(stripeBytes: number, path: string): number {
  return maxPlainBytes(stripeBytes - sealedDirectoryBytes(directoryEntryBytes(path)));
}

/**
 * What a file that fills several stripes gives to each but its last: whole blocks, so that every extent begins at a
 * multiple of a block in its file too.
 */
export function soloExtentPlainBytes(stripeBytes: number, path: string): number {
  const most = maxExtentPlainBytes(stripeBytes, path);
  return most < BLOCK_BYTES ? most : most - (most % BLOCK_BYTES);
}

/** What one data chunk contributes to a range of its stripe. */
export interface ChunkPart {
  /** Of the data chunk: 0 … k − 1. */
  readonly index: number;
  /** Bytes [start, end) of the chunk. */
  readonly start: number;
  readonly end: number;
  /** The segments that hold these bytes, ascending. */
  readonly segments: readonly number[];
}

/** Which segments of which data chunks hold the bytes [start, end) of a stripe: 0 ≤ start < end ≤ k × chunkBytes. */
export function segmentsFor(
  range: { readonly start: number; readonly end: number },
  k: number,
  chunkBytes: number,
): ChunkPart[] {
  const { start, end } = range;
  assert(start >= 0 && start < end && end <= k * chunkBytes, `bytes ${String(start)}–${String(end)} of a stripe`);
  const parts: ChunkPart[] = [];
  for (let index = Math.floor(start / chunkBytes); index * chunkBytes < end; index++) {
    const from = Math.max(0, start - index * chunkBytes);
    const to = Math.min(chunkBytes, end - index * chunkBytes);
    const first = Math.floor(from / SEGMENT_BYTES);
    const count = Math.ceil(to / SEGMENT_BYTES) - first;
    parts.push({ index, start: from, end: to, segments: Array.from({ length: count }, (_, i) => first + i) });
  }
  return parts;
}
