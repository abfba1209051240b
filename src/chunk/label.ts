import { checkScheme, chunkBytesFor } from '../erasure/recovery.js';
import { StorageError } from '../errors.js';
import { StripeLabel } from '../gen/shoal/v1/format.js';
import { MAX_DIRECTORY_BYTES, MAX_LABEL_BYTES, SEGMENT_BYTES } from '../limits.js';
import { MIN_DIRECTORY_BYTES } from './directory.js';
import { type ChunkId, idBytes, parseChunkId, parseUserId, type StripeId, stripeId, type UserId } from './ids.js';
import { type BoundedDecoder, decodeBounded, openSigned, type SignedBy } from './signed.js';

export const LABEL_FORMAT = 1;

/** What an owner says about a stripe; kept, signed, beside each of its chunks. docs/spec/3-chunk.md */
export interface Label {
  readonly owner: UserId;
  readonly k: number;
  readonly m: number;
  /** Before padding to k × chunkBytes. */
  readonly stripeBytes: number;
  readonly chunkBytes: number;
  /** The directory is the end of the stripe: offset + bytes = stripeBytes. */
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  /** k + m ids; a chunk's index is its place here. */
  readonly chunks: readonly ChunkId[];
}

/** A label as it was read, and the stripe that it follows to name. */
export interface ReadLabel extends Label {
  readonly stripe: StripeId;
}

/** @throws StorageError INVALID_ARGUMENT for numbers that do not fit each other */
function checkLabel(label: Label): void {
  const { k, m, stripeBytes, chunkBytes, directoryOffset, directoryBytes, chunks } = label;
  checkScheme(k, m);
  const wrong =
    (chunks.length !== k + m && 'number of chunk ids') ||
    (chunkBytes !== chunkBytesFor(stripeBytes, k) && 'length of a chunk') ||
    ((directoryBytes < MIN_DIRECTORY_BYTES || directoryBytes > MAX_DIRECTORY_BYTES) && 'length of its directory') ||
    ((directoryOffset < 0 || directoryOffset + directoryBytes !== stripeBytes) && 'place of its directory');
  if (wrong !== false) throw new StorageError('INVALID_ARGUMENT', `A label has the wrong ${wrong}.`);
}

/**
 * @returns the body to be signed for the purpose "label"
 * @throws StorageError INVALID_ARGUMENT
 */
export function encodeLabel(label: Label): Uint8Array {
  checkLabel(label);
  const { owner, k, m, stripeBytes, chunkBytes, directoryOffset, directoryBytes, chunks } = label;
  return StripeLabel.encode({
    format: LABEL_FORMAT,
    owner: idBytes(owner),
    k,
    m,
    segmentBytes: SEGMENT_BYTES,
    stripeBytes,
    chunkBytes,
    directoryOffset,
    directoryBytes,
    chunks: chunks.map(idBytes),
  }).finish();
}

function decode(body: Uint8Array): ReadLabel {
  const raw = StripeLabel.decode(body);
  if (raw.format !== LABEL_FORMAT || raw.segmentBytes !== SEGMENT_BYTES) {
    throw new StorageError(
      'UNSUPPORTED',
      `This label has format ${String(raw.format)} with segments of ${String(raw.segmentBytes)} bytes; this version of Shoal reads format 1 with ${String(SEGMENT_BYTES)}. Upgrade Shoal on this machine.`,
    );
  }
  const { k, m, stripeBytes, chunkBytes, directoryOffset, directoryBytes } = raw;
  const numbers = { k, m, stripeBytes, chunkBytes, directoryOffset, directoryBytes };
  const label = { ...numbers, owner: parseUserId(raw.owner), chunks: raw.chunks.map(parseChunkId) };
  checkLabel(label);
  return { ...label, stripe: stripeId(k, m, label.chunks) };
}

const LABEL: BoundedDecoder<ReadLabel> = { what: 'label', maxBytes: MAX_LABEL_BYTES, decode };

/** Reads the body of a label, without its signature. @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED */
export function decodeLabel(body: Uint8Array): ReadLabel {
  return decodeBounded(LABEL, body);
}

/** Reads a signed label. @throws StorageError as decodeLabel, and PERMISSION_DENIED when its owner did not sign it */
export function openLabel(signed: Uint8Array): ReadLabel & SignedBy {
  return openSigned('label', LABEL, signed);
}
