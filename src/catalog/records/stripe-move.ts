import { createHash } from 'node:crypto';
import type { Receipt } from '../../chunk/chunk-store.js';
import { parsePeerId, type PeerId, type StripeId } from '../../chunk/ids.js';
import { decodeReceipt } from '../../chunk/receipt.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { MAX_RECEIPT_BYTES } from '../../limits.js';
import type { Placement, StripeRecord } from '../catalog.js';
import { checkStripeFormat, fromBase64, isSignedReceipt, toBase64, type PeersById } from './stripe-record.js';

const FORMAT = 1;
const PREFIX = 'move-';

/** A later place of one chunk, as its new peer signed it. */
interface Move {
  /** Of the chunk in its stripe. */
  readonly index: number;
  readonly receipt: Receipt;
  readonly storedMs: number;
  readonly id: string;
}

/** Of the documents of all moves, or of one stripe's. */
export function movePrefix(stripe?: StripeId): string {
  return stripe === undefined ? PREFIX : `${PREFIX}${stripe}-`;
}

/**
 * The document that says where a chunk of a stripe lies now; named by what it says. It concerns the new peer, all that
 * hold other chunks, for whoever of them repairs the stripe has to know, and those that held one before: they have the
 * record, and go by it.
 */
export function writeMove(
  stripe: Pick<StripeRecord, 'id' | 'owner' | 'placement'>,
  { peer, body, signature }: Receipt,
  former: readonly PeerId[] = [],
): Document {
  const holders = stripe.placement.flatMap((place) => place?.peer ?? []);
  const peers = [...new Set([peer, ...holders, ...former])].sort();
  const fields = { type: 'move', format: FORMAT, owner: stripe.owner, peers };
  const _id = nameOf(stripe.id, { body, signature });
  return { _id, ...fields, receipt: toBase64(body), signature: toBase64(signature) };
}

function nameOf(stripe: StripeId, { body, signature }: Pick<Receipt, 'body' | 'signature'>): string {
  return movePrefix(stripe) + createHash('sha256').update(body).update(signature).digest('hex');
}

/** @throws StorageError CORRUPT, UNSUPPORTED, LIMIT_EXCEEDED, PERMISSION_DENIED */
function readMove(stripe: StripeRecord, document: Document, peers: PeersById): Move {
  checkStripeFormat(document);
  const body = fromBase64(document['receipt'], MAX_RECEIPT_BYTES);
  const signature = fromBase64(document['signature'], MAX_RECEIPT_BYTES);
  const { peer, chunk, storedMs } = decodeReceipt(body);
  const receipt = { peer: parsePeerId(peer), body, signature };
  const index = stripe.chunks.indexOf(chunk);
  if (!isSignedReceipt({ stripe, index, receipt }, peers)) {
    throw new StorageError('PERMISSION_DENIED', 'A move carries a receipt that its peer did not sign for this chunk.');
  }
  const id = nameOf(stripe.id, receipt);
  if (document._id !== id) throw new StorageError('CORRUPT', 'A move is not named by what it says.');
  return { index, receipt, storedMs, id };
}

export interface MergedPlaces {
  readonly placement: readonly (Placement | undefined)[];
  /** Moves that were not believed. */
  readonly refused: readonly { readonly id: string; readonly error: StorageError }[];
}

/**
 * Where the chunks of a stripe lie after these moves. A receipt proves no more than that its own peer wants the chunk to be
 * asked for there, and nobody has to be asked before it is signed. So a peer gets one chunk of a stripe at most, as
 * placement gives it: whatever peers sign, each of them can be in the way of one chunk, not of the whole stripe.
 *
 * @param documents in any order, with the same outcome
 */
export function mergeMoves(stripe: StripeRecord, documents: readonly Document[], peers: PeersById): MergedPlaces {
  const refused: { id: string; error: StorageError }[] = [];
  const moves = documents.flatMap((document) => {
    try {
      return readMove(stripe, document, peers);
    } catch (error) {
      if (!StorageError.is(error)) throw error;
      refused.push({ id: document._id, error });
      return [];
    }
  });
  moves.sort((a, b) => a.storedMs - b.storedMs || (a.id < b.id ? -1 : 1));
  const placement = [...stripe.placement];
  for (const { index, receipt } of moves) {
    const { peer } = receipt;
    const holdsAnother = placement.some((place, other) => other !== index && place?.peer === peer);
    if (!holdsAnother) placement[index] = { peer, receipt };
  }
  return { placement, refused };
}
