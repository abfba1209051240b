import { createHash } from 'node:crypto';
import { fromHex, toHex, u32, u64, utf8 } from '../bytes.js';
import { StorageError } from '../errors.js';

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** Lower-case hex of 32 bytes. */
export type ChunkId = Id<'ChunkId'>;
/** Lower-case hex of 32 bytes. */
export type StripeId = Id<'StripeId'>;
/** Lower-case hex of 32 bytes: SHA-256 of the peer's public key (SubjectPublicKeyInfo, DER). */
export type PeerId = Id<'PeerId'>;
/** Lower-case hex of 32 bytes: SHA-256("shoal/user/1" ‖ Ed25519 public key). */
export type UserId = Id<'UserId'>;
/** Lower-case hex of 16 random bytes; survives renaming and new versions. */
export type FileId = Id<'FileId'>;
/** Lower-case hex of 16 random bytes. */
export type VersionId = Id<'VersionId'>;

export const ID_BYTES = 32;
export const SHORT_ID_BYTES = 16;

/** Hex or bytes. */
type Raw = string | Uint8Array;

function parse(what: string, length: number, value: Raw): string {
  const bytes = typeof value === 'string' ? fromHex(value, length) : value;
  if (bytes?.length !== length) {
    throw new StorageError('INVALID_ARGUMENT', `A ${what} is ${String(length)} bytes, written as lower-case hex.`);
  }
  return toHex(bytes);
}

export const parseChunkId = (value: Raw): ChunkId => parse('chunk id', ID_BYTES, value) as ChunkId;
export const parseStripeId = (value: Raw): StripeId => parse('stripe id', ID_BYTES, value) as StripeId;
export const parsePeerId = (value: Raw): PeerId => parse('peer id', ID_BYTES, value) as PeerId;
export const parseUserId = (value: Raw): UserId => parse('user id', ID_BYTES, value) as UserId;
export const parseFileId = (value: Raw): FileId => parse('file id', SHORT_ID_BYTES, value) as FileId;
export const parseVersionId = (value: Raw): VersionId => parse('version id', SHORT_ID_BYTES, value) as VersionId;

export function idBytes(id: string): Uint8Array {
  return Uint8Array.from(Buffer.from(id, 'hex'));
}

/**
 * SHA-256("shoal/chunk/1" ‖ u32 segment bytes ‖ u64 chunk bytes ‖ SHA-256 of each segment), integers big-endian
 * (docs/spec/3-chunk.md). Anyone who has the hash list can check any single segment without a key.
 *
 * @param hashes the SHA-256 of every segment, in order, 32 bytes each, concatenated
 */
export function chunkId(segmentBytes: number, chunkBytes: number, hashes: Uint8Array): ChunkId {
  return createHash('sha256')
    .update(utf8('shoal/chunk/1'))
    .update(u32(segmentBytes))
    .update(u64(chunkBytes))
    .update(hashes)
    .digest('hex') as ChunkId;
}

/** SHA-256("shoal/stripe/1" ‖ u8 k ‖ u8 m ‖ the n chunk ids in order). */
export function stripeId(k: number, m: number, chunks: readonly ChunkId[]): StripeId {
  const hash = createHash('sha256').update(utf8('shoal/stripe/1')).update(Uint8Array.of(k, m));
  for (const id of chunks) hash.update(id, 'hex');
  return hash.digest('hex') as StripeId;
}
