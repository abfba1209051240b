import type { KeyObject } from 'node:crypto';
import { peerIdOf } from '../crypto/peer-identity.js';
import { verifyP256 } from '../crypto/signature.js';
import { StorageError } from '../errors.js';
import { ReceiptBody } from '../gen/shoal/v1/format.js';
import { MAX_RECEIPT_BYTES } from '../limits.js';
import type { Receipt } from './chunk-store.js';
import { type ChunkId, idBytes, parseChunkId, parsePeerId, parseUserId, type PeerId, type UserId } from './ids.js';
import { decodeBounded } from './signed.js';

/** What a receipt promises: this peer held this chunk for this owner, safe from a power cut, at this time. */
export interface Promised {
  readonly peer: PeerId;
  readonly chunk: ChunkId;
  readonly owner: UserId;
  readonly bytes: number;
  readonly storedMs: number;
}

/** @param sign signs a body for the purpose "receipt" with the key of the peer's certificate: signP256 */
export function makeReceipt(promised: Promised, sign: (body: Uint8Array) => Uint8Array): Receipt {
  const { peer, chunk, owner, bytes, storedMs } = promised;
  const body = ReceiptBody.encode({
    peer: idBytes(peer),
    chunk: idBytes(chunk),
    owner: idBytes(owner),
    bytes,
    storedMs,
  }).finish();
  return { peer, body, signature: sign(body) };
}

/** Reads what a receipt promises, without checking who promised. @throws StorageError LIMIT_EXCEEDED, CORRUPT */
export function decodeReceipt(body: Uint8Array): Promised {
  return decodeBounded(
    {
      what: 'receipt',
      maxBytes: MAX_RECEIPT_BYTES,
      decode(input) {
        const { peer, chunk, owner, bytes, storedMs } = ReceiptBody.decode(input);
        return {
          peer: parsePeerId(peer),
          chunk: parseChunkId(chunk),
          owner: parseUserId(owner),
          bytes,
          storedMs,
        };
      },
    },
    body,
  );
}

/**
 * Checks that the peer with this key promised just what was asked of it.
 *
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, PERMISSION_DENIED
 */
export function verifyReceipt(
  receipt: Pick<Receipt, 'body' | 'signature'>,
  publicKey: KeyObject,
  asked: Pick<Promised, 'chunk' | 'owner' | 'bytes'>,
): Promised {
  const promised = decodeReceipt(receipt.body);
  if (
    promised.peer !== peerIdOf(publicKey) ||
    !verifyP256('receipt', receipt.body, receipt.signature, publicKey) ||
    promised.chunk !== asked.chunk ||
    promised.owner !== asked.owner ||
    promised.bytes !== asked.bytes
  ) {
    throw new StorageError('PERMISSION_DENIED', 'The receipt of this chunk is not what the peer was asked to sign.');
  }
  return promised;
}
