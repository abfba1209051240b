import { createHash } from 'node:crypto';
import type { Receipt } from '../../chunk/chunk-store.js';
import { parsePeerId, type StripeId } from '../../chunk/ids.js';
import { decodeReceipt } from '../../chunk/receipt.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { MAX_RECEIPT_BYTES } from '../../limits.js';
import type { Placement, StripeRecord } from '../catalog.js';
import { inOrder, type OrderedMove } from './move-order.js';
import { checkStripeFormat, fromBase64, isSignedReceipt, toBase64, type PeersById } from './stripe-record.js';

const FORMAT = 1;
const PREFIX = 'move-';

/** A later place of one chunk, as its new peer signed it. */
interface Move extends OrderedMove {
  /** Of the chunk in its stripe. */
  readonly index: number;
  readonly receipt: Receipt;
}

/** Of the documents of all moves, or of one stripe's. */
export function movePrefix(stripe?: StripeId): string {
  return stripe === undefined ? PREFIX : `${PREFIX}${stripe}-`;
}

/**
 * The document that says where a chunk of a stripe lies now; named by what it says. It concerns the new peer, and all that
 * hold other chunks: whoever of them repairs the stripe has to know.
 *
 * @param after the last move of the stripe that is known, see lastMove
 */
export function writeMove(
  stripe: Pick<StripeRecord, 'id' | 'owner' | 'placement'>,
  receipt: Receipt,
  after?: string,
): Document {
  const { peer, body, signature } = receipt;
  const peers = [...new Set([peer, ...stripe.placement.flatMap((place) => place?.peer ?? [])])].sort();
  const fields = { type: 'move', format: FORMAT, owner: stripe.owner, peers, ...(after !== undefined && { after }) };
  const _id = movePrefix(stripe.id) + nameOf(receipt);
  return { _id, ...fields, receipt: toBase64(body), signature: toBase64(signature) };
}

/** Nobody else's receipt gives the same. */
function nameOf({ body, signature }: Pick<Receipt, 'body' | 'signature'>): string {
  return createHash('sha256').update(body).update(signature).digest('hex');
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
  const name = nameOf(receipt);
  if (document._id !== movePrefix(stripe.id) + name) {
    throw new StorageError('CORRUPT', 'A move is not named by what it says.');
  }
  const { after } = document;
  return { index, receipt, storedMs, name, after: typeof after === 'string' ? after : undefined };
}

interface ReadMoves {
  /** In the order in which they count. */
  readonly moves: readonly Move[];
  /** Moves that were not believed. */
  readonly refused: readonly { readonly id: string; readonly error: StorageError }[];
}

function readMoves(stripe: StripeRecord, documents: readonly Document[], peers: PeersById): ReadMoves {
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
  return { moves: inOrder(moves), refused };
}

/** The last of the moves of a stripe: what is moved from now on comes after it. */
export function lastMove(...read: Parameters<typeof readMoves>): string | undefined {
  return readMoves(...read).moves.at(-1)?.name;
}

export interface MergedPlaces extends Pick<ReadMoves, 'refused'> {
  readonly placement: readonly (Placement | undefined)[];
}

/**
 * Where the chunks of a stripe lie after these moves. A receipt proves no more than that its own peer wants the chunk to be
 * asked for there, and nobody has to be asked before it is signed. So a peer gets one chunk of a stripe at most, as
 * placement gives it: whatever peers sign, each of them can be in the way of one chunk, not of the whole stripe.
 *
 * @param documents in any order, with the same outcome
 */
export function mergeMoves(stripe: StripeRecord, documents: readonly Document[], peers: PeersById): MergedPlaces {
  const { moves, refused } = readMoves(stripe, documents, peers);
  const placement = [...stripe.placement];
  for (const { index, receipt } of moves) {
    const { peer } = receipt;
    const holdsAnother = placement.some((place, other) => other !== index && place?.peer === peer);
    if (!holdsAnother) placement[index] = { peer, receipt };
  }
  return { placement, refused };
}
