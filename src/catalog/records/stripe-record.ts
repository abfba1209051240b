import { isDeepStrictEqual } from 'node:util';
import { parsePeerId, type PeerId, type StripeId, type UserId } from '../../chunk/ids.js';
import type { Receipt } from '../../chunk/chunk-store.js';
import { openLabel } from '../../chunk/label.js';
import { decodeReceipt, verifyReceipt } from '../../chunk/receipt.js';
import { readCertificate } from '../../crypto/peer-identity.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { MAX_LABEL_BYTES, MAX_RECEIPT_BYTES } from '../../limits.js';
import type { PeerRecord } from '../../peers/peer-record.js';
import type { Placement, StripeRecord } from '../catalog.js';

const FORMAT = 1;
const PREFIX = 'stripe-';

export const STRIPE_PREFIX = PREFIX;

export function stripeDocumentId(stripe: StripeId): string {
  return PREFIX + stripe;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** @throws StorageError CORRUPT for anything but a text of base64 for at most so many bytes */
export function fromBase64(field: unknown, maxBytes: number): Uint8Array {
  if (typeof field !== 'string' || field.length > Math.ceil(maxBytes / 3) * 4) {
    throw new StorageError('CORRUPT', 'A field of a stripe is missing, or too long.');
  }
  return Uint8Array.from(Buffer.from(field, 'base64'));
}

/** @throws StorageError CORRUPT, UNSUPPORTED for another format than the first */
export function checkStripeFormat(document: Document): void {
  const { format } = document;
  if (format === FORMAT) return;
  if (typeof format === 'number' && format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `A stripe was stored by a newer version of Shoal (format ${String(format)}). Upgrade Shoal on this machine.`,
    );
  }
  throw new StorageError('CORRUPT', 'A stripe has no format.');
}

/** Everything but the places follows from the owner's label. */
function checkAgainstLabel(record: StripeRecord): void {
  const { id, owner, k, m, bytes, chunkBytes, chunks, placement, label } = record;
  const said = openLabel(label);
  const numbers = [said.k, said.m, said.stripeBytes, said.chunkBytes];
  const agrees =
    said.stripe === id &&
    said.owner === owner &&
    isDeepStrictEqual(numbers, [k, m, bytes, chunkBytes]) &&
    isDeepStrictEqual(said.chunks, chunks) &&
    placement.length === chunks.length;
  if (!agrees) throw new StorageError('CORRUPT', 'A stripe does not agree with the label that its owner signed.');
}

/**
 * The document of a stripe as it was first stored. It never changes.
 *
 * @throws StorageError INVALID_ARGUMENT when the record does not agree with its own label, or the label with its signature
 */
export function writeStripe(record: StripeRecord): Document {
  const { id, owner, placement, label } = record;
  try {
    checkAgainstLabel(record);
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    throw new StorageError('INVALID_ARGUMENT', `This is no record of a stripe: ${error.message}`, { cause: error });
  }
  const peers = [...new Set(placement.flatMap((place) => place?.peer ?? []))];
  const places = placement.map((place) => place && writePlace(place, peers.indexOf(place.peer)));
  const fields = { type: 'stripe', format: FORMAT, owner, label: toBase64(label) };
  return { _id: PREFIX + id, ...fields, peers, placement: places.map((place) => place ?? null) };
}

/** @param at of its peer in the field `peers` */
function writePlace({ receipt }: Placement, at: number): unknown {
  if (receipt === undefined) return { at };
  return { at, receipt: toBase64(receipt.body), signature: toBase64(receipt.signature) };
}

/**
 * Reads what anyone may have written. All but the places is proven by the owner's label. The places are hints: a receipt
 * that is not for this chunk is left out, and whether its peer signed it is not looked at here (`countReceipts`).
 *
 * @throws StorageError CORRUPT, UNSUPPORTED, LIMIT_EXCEEDED, PERMISSION_DENIED
 */
export function readStripe(id: StripeId, document: Document): StripeRecord {
  checkStripeFormat(document);
  const { peers, placement } = document;
  if (!Array.isArray(peers) || !Array.isArray(placement)) {
    throw new StorageError('CORRUPT', 'A stripe has no places.');
  }
  const label = fromBase64(document['label'], MAX_LABEL_BYTES);
  const { stripe, owner, k, m, stripeBytes: bytes, chunkBytes, chunks } = openLabel(label);
  if (stripe !== id || document['owner'] !== owner || placement.length !== chunks.length) {
    throw new StorageError('CORRUPT', 'A stripe does not agree with the label that its owner signed.');
  }
  const read = { id, owner, k, m, bytes, chunkBytes, chunks, label };
  return { ...read, placement: placement.map((place: unknown, index) => readPlace(place, { peers, read, index })) };
}

interface PlaceContext {
  readonly peers: readonly unknown[];
  readonly read: Omit<StripeRecord, 'placement'>;
  readonly index: number;
}

function readPlace(value: unknown, { peers, read, index }: PlaceContext): Placement | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, receipt, signature } = value as Record<string, unknown>;
  const named = typeof at === 'number' ? peers[at] : undefined;
  if (typeof named !== 'string') return undefined;
  try {
    const peer = parsePeerId(named);
    if (receipt === undefined) return { peer };
    const body = fromBase64(receipt, MAX_RECEIPT_BYTES);
    const promised = decodeReceipt(body);
    const fits = promised.peer === peer && promised.chunk === read.chunks[index] && promised.owner === read.owner;
    return fits ? { peer, receipt: { peer, body, signature: fromBase64(signature, MAX_RECEIPT_BYTES) } } : { peer };
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    return undefined;
  }
}

/** Who may have signed a receipt: the peers of the network, those that were removed too. */
export type PeersById = ReadonlyMap<PeerId, PeerRecord>;

export interface Claim {
  readonly stripe: Pick<StripeRecord, 'owner' | 'chunkBytes' | 'chunks'>;
  /** Of the chunk in its stripe. */
  readonly index: number;
  readonly receipt: Receipt;
}

/** True when the peer that a receipt names signed it for this chunk. */
export function isSignedReceipt({ stripe, index, receipt }: Claim, peers: PeersById): boolean {
  const chunk = stripe.chunks[index];
  const peer = peers.get(receipt.peer);
  if (chunk === undefined || peer === undefined) return false;
  try {
    const { publicKey } = readCertificate(peer.certificate);
    verifyReceipt(receipt, publicKey, { chunk, owner: stripe.owner, bytes: stripe.chunkBytes });
    return true;
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    return false;
  }
}

/** How many places of a stripe their peers have signed for. */
export function countReceipts(stripe: StripeRecord, peers: PeersById): number {
  return stripe.placement.filter(
    (place, index) => place?.receipt !== undefined && isSignedReceipt({ stripe, index, receipt: place.receipt }, peers),
  ).length;
}

/** Among records of one stripe that are all rightly labelled. */
export interface StripeChoice {
  readonly peers: PeersById;
  /** Another user may have stored the same chunks: here the own record counts first. */
  readonly isOwn: (owner: UserId) => boolean;
}

/** The same from any order: an own one, the one with most receipts, the lowest text. */
export function chooseStripe(found: readonly StripeRecord[], { peers, isOwn }: StripeChoice): StripeRecord | undefined {
  if (found.length < 2) return found[0];
  const ranked = found.map((record) => {
    const text = JSON.stringify(writeStripe(record));
    return { record, own: isOwn(record.owner) ? 1 : 0, receipts: countReceipts(record, peers), text };
  });
  ranked.sort((a, b) => b.own - a.own || b.receipts - a.receipts || (a.text < b.text ? -1 : 1));
  return ranked[0]?.record;
}
