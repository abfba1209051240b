import { StorageError } from '../errors.js';
import { InventoryOrder as InventoryOrderBody } from '../gen/shoal/v1/format.js';
import { CLOCK_SKEW_MS, INVENTORY_LIFETIME_MS, MAX_INVENTORY_ORDER_BYTES } from '../limits.js';
import { idBytes, parsePeerId, type PeerId, parseUserId, type UserId } from './ids.js';
import { type BoundedDecoder, openSigned, type SignedBy } from './signed.js';

/** The owner's order to one peer to tell another what it holds of the owner's. docs/spec/4-wire.md section 5 */
export interface InventoryOrder {
  readonly owner: UserId;
  readonly sourcePeer: PeerId;
  readonly targetPeer: PeerId;
  readonly issuedMs: number;
}

/** @returns the body to be signed for the purpose "inventory" */
export function encodeInventoryOrder({ owner, sourcePeer, targetPeer, issuedMs }: InventoryOrder): Uint8Array {
  return InventoryOrderBody.encode({
    owner: idBytes(owner),
    sourcePeer: idBytes(sourcePeer),
    targetPeer: idBytes(targetPeer),
    issuedMs,
  }).finish();
}

const INVENTORY_ORDER: BoundedDecoder<InventoryOrder> = {
  what: 'inventory order',
  maxBytes: MAX_INVENTORY_ORDER_BYTES,
  decode(body) {
    const { owner, sourcePeer, targetPeer, issuedMs } = InventoryOrderBody.decode(body);
    return {
      owner: parseUserId(owner),
      sourcePeer: parsePeerId(sourcePeer),
      targetPeer: parsePeerId(targetPeer),
      issuedMs,
    };
  },
};

/** Reads a signed order. @throws StorageError LIMIT_EXCEEDED, CORRUPT, PERMISSION_DENIED when its owner did not sign it */
export function openInventoryOrder(signed: Uint8Array): InventoryOrder & SignedBy {
  return openSigned('inventory', INVENTORY_ORDER, signed);
}

/**
 * @param at who calls, by its certificate, and who is asked
 * @throws StorageError PERMISSION_DENIED for an order of other peers, an old one, or one from the future
 */
export function checkInventoryOrder(
  order: InventoryOrder,
  at: { readonly sourcePeer: PeerId; readonly targetPeer: PeerId; readonly nowMs: number },
): void {
  const refused =
    (order.targetPeer !== at.targetPeer && 'is for another peer') ||
    (order.sourcePeer !== at.sourcePeer && 'was given to another peer') ||
    (order.issuedMs > at.nowMs + CLOCK_SKEW_MS && 'is from the future: check the clocks of both peers') ||
    (at.nowMs > order.issuedMs + INVENTORY_LIFETIME_MS + CLOCK_SKEW_MS && 'has expired');
  if (refused !== false) throw new StorageError('PERMISSION_DENIED', `The order to list chunks ${refused}.`);
}
