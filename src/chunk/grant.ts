import { assert, StorageError } from '../errors.js';
import { DeleteOrder as DeleteOrderBody, Grant as GrantBody } from '../gen/shoal/v1/format.js';
import {
  CLOCK_SKEW_MS,
  GRANT_LIFETIME_MS,
  MAX_DELETE_ORDER_BYTES,
  MAX_GRANT_BYTES,
  MAX_IDS_PER_CALL,
} from '../limits.js';
import {
  type ChunkId,
  idBytes,
  parseChunkId,
  parsePeerId,
  type PeerId,
  parseStripeId,
  parseUserId,
  type StripeId,
  type UserId,
} from './ids.js';
import { type BoundedDecoder, openSigned, type SignedBy } from './signed.js';

/** The owner's permission for one peer to store the chunks of one stripe elsewhere. docs/spec/4-wire.md */
export interface Grant {
  readonly owner: UserId;
  readonly sourcePeer: PeerId;
  readonly stripe: StripeId;
  /** Of all chunks of the stripe together. */
  readonly bytes: number;
  readonly expiresMs: number;
}

/** What a grant is asked to allow. */
export interface GrantedPut {
  readonly owner: UserId;
  /** Who is calling: from the certificate, never from the message. */
  readonly sourcePeer: PeerId;
  readonly stripe: StripeId;
  /** Of all chunks of the stripe together: n × chunkBytes of its label. */
  readonly bytes: number;
  readonly nowMs: number;
}

/** The owner's order to one peer to give chunks up. It never expires: a peer may be away for long. */
export interface DeleteOrder {
  readonly owner: UserId;
  readonly targetPeer: PeerId;
  readonly chunks: readonly ChunkId[];
  readonly issuedMs: number;
}

/** @returns the body to be signed for the purpose "grant" */
export function encodeGrant(grant: Grant): Uint8Array {
  return GrantBody.encode({
    owner: idBytes(grant.owner),
    sourcePeer: idBytes(grant.sourcePeer),
    stripe: idBytes(grant.stripe),
    bytes: grant.bytes,
    expiresMs: grant.expiresMs,
  }).finish();
}

const GRANT: BoundedDecoder<Grant> = {
  what: 'grant',
  maxBytes: MAX_GRANT_BYTES,
  decode(body) {
    const { owner, sourcePeer, stripe, bytes, expiresMs } = GrantBody.decode(body);
    return {
      owner: parseUserId(owner),
      sourcePeer: parsePeerId(sourcePeer),
      stripe: parseStripeId(stripe),
      bytes,
      expiresMs,
    };
  },
};

/** Reads a signed grant. @throws StorageError LIMIT_EXCEEDED, CORRUPT, PERMISSION_DENIED when its owner did not sign it */
export function openGrant(signed: Uint8Array): Grant & SignedBy {
  return openSigned('grant', GRANT, signed);
}

/** @throws StorageError PERMISSION_DENIED that names what the grant does not allow */
export function checkGrant(grant: Grant, put: GrantedPut): void {
  const refused =
    (grant.owner !== put.owner && 'is of another owner') ||
    (grant.sourcePeer !== put.sourcePeer && 'is for another peer') ||
    (grant.stripe !== put.stripe && 'is for another stripe') ||
    (grant.bytes < put.bytes && `allows ${String(grant.bytes)} bytes, not ${String(put.bytes)}`) ||
    (put.nowMs > grant.expiresMs + CLOCK_SKEW_MS && 'has expired') ||
    (grant.expiresMs > put.nowMs + GRANT_LIFETIME_MS + CLOCK_SKEW_MS && 'is valid for longer than a grant may be');
  if (refused !== false) throw new StorageError('PERMISSION_DENIED', `The grant ${refused}. Put the file again.`);
}

/** @returns the body to be signed for the purpose "delete" */
export function encodeDeleteOrder(order: DeleteOrder): Uint8Array {
  assert(
    order.chunks.length > 0 && order.chunks.length <= MAX_IDS_PER_CALL,
    'an order names 1 to MAX_IDS_PER_CALL chunks',
  );
  return DeleteOrderBody.encode({
    owner: idBytes(order.owner),
    targetPeer: idBytes(order.targetPeer),
    chunks: order.chunks.map(idBytes),
    issuedMs: order.issuedMs,
  }).finish();
}

const DELETE_ORDER: BoundedDecoder<DeleteOrder> = {
  what: 'delete order',
  maxBytes: MAX_DELETE_ORDER_BYTES,
  decode(body) {
    const { owner, targetPeer, chunks, issuedMs } = DeleteOrderBody.decode(body);
    if (chunks.length === 0 || chunks.length > MAX_IDS_PER_CALL) {
      throw new StorageError('LIMIT_EXCEEDED', `A delete order names 1 to ${String(MAX_IDS_PER_CALL)} chunks.`);
    }
    return {
      owner: parseUserId(owner),
      targetPeer: parsePeerId(targetPeer),
      chunks: chunks.map(parseChunkId),
      issuedMs,
    };
  },
};

/** Reads a signed order. @throws StorageError LIMIT_EXCEEDED, CORRUPT, PERMISSION_DENIED when its owner did not sign it */
export function openDeleteOrder(signed: Uint8Array): DeleteOrder & SignedBy {
  return openSigned('delete', DELETE_ORDER, signed);
}

/** @throws StorageError PERMISSION_DENIED for an order to another peer, or from the future */
export function checkDeleteOrder(
  order: DeleteOrder,
  at: { readonly targetPeer: PeerId; readonly nowMs: number },
): void {
  if (order.targetPeer !== at.targetPeer) {
    throw new StorageError('PERMISSION_DENIED', 'This delete order is for another peer.');
  }
  if (order.issuedMs > at.nowMs + CLOCK_SKEW_MS) {
    throw new StorageError(
      'PERMISSION_DENIED',
      'This delete order is from the future. Check the clocks of both peers.',
    );
  }
}
