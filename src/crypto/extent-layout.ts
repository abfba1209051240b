import { assert, StorageError } from '../errors.js';
import { BLOCK_BYTES } from '../limits.js';

/** Format version (1) ‖ codec (1) ‖ key commitment (32). */
export const EXTENT_HEADER_BYTES = 34;
/** Poly1305 (RFC 8439). */
export const TAG_BYTES = 16;
export const SEALED_BLOCK_BYTES = BLOCK_BYTES + TAG_BYTES;
/** Header, one block of one byte. */
export const MIN_SEALED_BYTES = EXTENT_HEADER_BYTES + 1 + TAG_BYTES;

/** Where to read for a range of an extent's plaintext, and what to drop from what the blocks hold. */
export interface SealedRange {
  /** First byte to read, from the beginning of the sealed extent; the header is before it and not needed. */
  readonly start: number;
  /** One past the last byte to read. */
  readonly end: number;
  /** Index of the block that begins at `start`. */
  readonly firstBlock: number;
  /** Plaintext bytes of the first block that come before the range. */
  readonly skip: number;
  /** Plaintext bytes of the range. */
  readonly bytes: number;
  /** Plaintext bytes of the whole extent: what tells the last block from the others. */
  readonly total: number;
}

export function blockCount(plain: number): number {
  return Math.ceil(plain / BLOCK_BYTES);
}

/** Plaintext bytes of block `index` of an extent of `total` plaintext bytes. */
export function blockBytes(index: number, total: number): number {
  return Math.min(BLOCK_BYTES, total - index * BLOCK_BYTES);
}

/** Bytes of the sealed form of `plain` ≥ 1 plaintext bytes. */
export function sealedBytes(plain: number): number {
  assert(Number.isSafeInteger(plain) && plain > 0, `an extent of ${String(plain)} bytes`);
  return EXTENT_HEADER_BYTES + plain + blockCount(plain) * TAG_BYTES;
}

/**
 * The inverse of `sealedBytes`.
 *
 * @throws StorageError CORRUPT for a length that no extent has
 */
export function plainBytes(sealed: number): number {
  const body = sealed - EXTENT_HEADER_BYTES;
  const rest = body % SEALED_BLOCK_BYTES;
  const possible = Number.isSafeInteger(sealed) && sealed >= MIN_SEALED_BYTES && (rest === 0 || rest > TAG_BYTES);
  if (!possible)
    throw new StorageError('CORRUPT', `No sealed extent is ${String(sealed)} bytes long: it was cut or altered.`);
  return body - Math.ceil(body / SEALED_BLOCK_BYTES) * TAG_BYTES;
}

/** The most plaintext whose sealed form fits in `room` bytes; 0 when not even one byte does. */
export function maxPlainBytes(room: number): number {
  const body = room - EXTENT_HEADER_BYTES;
  if (body <= TAG_BYTES) return 0;
  const whole = Math.floor(body / SEALED_BLOCK_BYTES);
  return whole * BLOCK_BYTES + Math.max(0, (body % SEALED_BLOCK_BYTES) - TAG_BYTES);
}

/** What to read for the plaintext bytes [start, end) of an extent of `total`: 0 ≤ start < end ≤ total. */
export function sealedRange(start: number, end: number, total: number): SealedRange {
  const valid = Number.isSafeInteger(start) && Number.isSafeInteger(end) && Number.isSafeInteger(total);
  assert(
    valid && start >= 0 && start < end && end <= total,
    `bytes ${String(start)}–${String(end)} of ${String(total)}`,
  );
  const firstBlock = Math.floor(start / BLOCK_BYTES);
  const endBlock = blockCount(end);
  return {
    start: EXTENT_HEADER_BYTES + firstBlock * SEALED_BLOCK_BYTES,
    end: Math.min(EXTENT_HEADER_BYTES + endBlock * SEALED_BLOCK_BYTES, sealedBytes(total)),
    firstBlock,
    skip: start - firstBlock * BLOCK_BYTES,
    bytes: end - start,
    total,
  };
}
