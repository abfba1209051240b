import { StorageError } from '../errors.js';
import { MAX_CHUNK_BYTES, MAX_STRIPE_CHUNKS, MIN_DATA_CHUNKS } from '../limits.js';
import { generatorRows, invert, multiply, type Matrix } from './matrix.js';

/** @throws StorageError INVALID_ARGUMENT unless k ≥ 2, m ≥ 1, k + m ≤ 64, all whole */
export function checkScheme(k: number, m: number): void {
  const whole = Number.isInteger(k) && Number.isInteger(m);
  if (whole && k >= MIN_DATA_CHUNKS && m >= 1 && k + m <= MAX_STRIPE_CHUNKS) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `A stripe is coded into at least ${String(MIN_DATA_CHUNKS)} data chunks and 1 parity chunk, at most ${String(MAX_STRIPE_CHUNKS)} together, not ${String(k)} + ${String(m)}.`,
  );
}

/**
 * A stripe of L bytes is cut into k chunks of ⌈L / k⌉ bytes; what the last ones lack is zeros.
 *
 * @throws StorageError INVALID_ARGUMENT for an empty stripe or chunks above MAX_CHUNK_BYTES
 */
export function chunkBytesFor(stripeBytes: number, k: number): number {
  const chunkBytes = Math.ceil(stripeBytes / k);
  checkChunkBytes(chunkBytes);
  return chunkBytes;
}

/** @throws StorageError INVALID_ARGUMENT unless 1 ≤ chunkBytes ≤ MAX_CHUNK_BYTES, whole */
export function checkChunkBytes(chunkBytes: number): void {
  if (Number.isInteger(chunkBytes) && chunkBytes >= 1 && chunkBytes <= MAX_CHUNK_BYTES) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `A chunk has 1 to ${String(MAX_CHUNK_BYTES)} bytes, not ${String(chunkBytes)}.`,
  );
}

/** Chunk `wanted[r]` = Σ over c of factors[r][c] · chunk `sources[c]`; there are k sources. */
export interface Recovery {
  readonly sources: readonly number[];
  readonly factors: Matrix;
}

/**
 * How to make the chunks `wanted`, data or parity, from k of those that are `present`: data chunks first (each that is
 * there saves work), then parity chunks in order.
 *
 * @throws StorageError CORRUPT when fewer than k are present: what is left does not hold the stripe any more;
 *   INVALID_ARGUMENT for an index that is no chunk, that comes twice, or that is present and wanted
 */
export function planRecovery(k: number, m: number, present: readonly number[], wanted: readonly number[]): Recovery {
  checkScheme(k, m);
  checkIndices(k + m, [...present, ...wanted]);
  if (present.length < k) {
    throw new StorageError(
      'CORRUPT',
      `Only ${String(present.length)} chunks of a stripe are intact and ${String(k)} are needed; bring another peer that holds one of its chunks back.`,
    );
  }
  const sources = present.toSorted((a, b) => a - b).slice(0, k);
  const decode = invert(generatorRows(k, m, sources));
  return { sources, factors: multiply(generatorRows(k, m, wanted), decode) };
}

function checkIndices(n: number, indices: readonly number[]): void {
  const seen = new Set<number>();
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= n) {
      throw new StorageError('INVALID_ARGUMENT', `A stripe of ${String(n)} chunks has no chunk ${String(index)}.`);
    }
    if (seen.has(index)) {
      throw new StorageError('INVALID_ARGUMENT', `Chunk ${String(index)} is named twice, as present or as wanted.`);
    }
    seen.add(index);
  }
}
