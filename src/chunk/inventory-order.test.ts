import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { deriveUserKeys, newRootKey, userId } from '../crypto/root-key.js';
import { CLOCK_SKEW_MS, INVENTORY_LIFETIME_MS, MAX_INVENTORY_ORDER_BYTES } from '../limits.js';
import { parsePeerId, parseUserId } from './ids.js';
import { checkInventoryOrder, encodeInventoryOrder, openInventoryOrder } from './inventory-order.js';
import { sealSigned } from './signed.js';

const NOW_MS = 1_800_000_000_000;
const { signing } = deriveUserKeys(newRootKey());
const order = {
  owner: parseUserId(userId(signing.publicKey)),
  sourcePeer: parsePeerId(randomBytes(32)),
  targetPeer: parsePeerId(randomBytes(32)),
  issuedMs: NOW_MS,
};
const at = { sourcePeer: order.sourcePeer, targetPeer: order.targetPeer, nowMs: NOW_MS };

describe('an order to list chunks', () => {
  it('opens to what was signed', () => {
    const opened = openInventoryOrder(sealSigned('inventory', encodeInventoryOrder(order), signing));
    assert.deepEqual(opened, { ...order, generation: 1 });
  });

  it('is refused when another signed it, for another purpose, or it is too long', () => {
    const body = encodeInventoryOrder(order);
    const stranger = deriveUserKeys(newRootKey()).signing;
    for (const signed of [sealSigned('inventory', body, stranger), sealSigned('delete', body, signing)]) {
      assert.throws(() => openInventoryOrder(signed), { code: 'PERMISSION_DENIED' });
    }
    assert.throws(() => openInventoryOrder(new Uint8Array(MAX_INVENTORY_ORDER_BYTES + 1)), { code: 'LIMIT_EXCEEDED' });
    assert.throws(() => openInventoryOrder(sealSigned('inventory', body.subarray(3), signing)), { code: 'CORRUPT' });
  });

  it('serves the two peers that it names, for a while', () => {
    checkInventoryOrder(order, at);
    checkInventoryOrder(order, { ...at, nowMs: NOW_MS + INVENTORY_LIFETIME_MS });
    checkInventoryOrder(order, { ...at, nowMs: NOW_MS - CLOCK_SKEW_MS });
    const other = parsePeerId(randomBytes(32));
    const wrong = [
      { ...at, sourcePeer: other },
      { ...at, targetPeer: other },
      { ...at, nowMs: NOW_MS + INVENTORY_LIFETIME_MS + CLOCK_SKEW_MS + 1 },
      { ...at, nowMs: NOW_MS - CLOCK_SKEW_MS - 1 },
    ];
    for (const use of wrong) {
      assert.throws(
        () => {
          checkInventoryOrder(order, use);
        },
        { code: 'PERMISSION_DENIED' },
      );
    }
  });
});
