import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deriveUserKeys, newRootKey, userId } from '../crypto/root-key.js';
import { type ErrorCode, StorageError } from '../errors.js';
import { DeleteOrder as DeleteOrderBody } from '../gen/shoal/v1/format.js';
import {
  CLOCK_SKEW_MS,
  GRANT_LIFETIME_MS,
  MAX_DELETE_ORDER_BYTES,
  MAX_GRANT_BYTES,
  MAX_IDS_PER_CALL,
} from '../limits.js';
import {
  checkDeleteOrder,
  checkGrant,
  type DeleteOrder,
  encodeDeleteOrder,
  encodeGrant,
  type Grant,
  type GrantedPut,
  openDeleteOrder,
  openGrant,
} from './grant.js';
import { idBytes, parseChunkId, parsePeerId, parseStripeId, parseUserId } from './ids.js';
import { sealSigned } from './signed.js';

const NOW = 1_700_000_000_000;
const { signing } = deriveUserKeys(newRootKey());
const stranger = deriveUserKeys(newRootKey()).signing;
const owner = parseUserId(userId(signing.publicKey));
const sourcePeer = parsePeerId('aa'.repeat(32));
const stripe = parseStripeId('bb'.repeat(32));

function refused(run: () => unknown, code: ErrorCode, text?: RegExp): void {
  assert.throws(run, (error) => StorageError.is(error, code) && (text === undefined || text.test(error.message)));
}

describe('a grant', () => {
  const grant: Grant = { owner, sourcePeer, stripe, bytes: 6000, expiresMs: NOW + GRANT_LIFETIME_MS };
  const put: GrantedPut = { owner, sourcePeer, stripe, bytes: 6000, nowMs: NOW };

  test('is read as it was written, and allows what it says', () => {
    const signed = sealSigned('grant', encodeGrant(grant), signing);
    assert.ok(signed.length < MAX_GRANT_BYTES);
    assert.deepEqual(openGrant(signed), { ...grant, generation: 1 });
    checkGrant(grant, put);
    checkGrant(grant, { ...put, bytes: 1, nowMs: grant.expiresMs + CLOCK_SKEW_MS });
  });

  test('says what it does not allow', () => {
    const deny = (change: Partial<GrantedPut>, text: RegExp) =>
      refused(() => checkGrant(grant, { ...put, ...change }), 'PERMISSION_DENIED', text);
    deny({ owner: parseUserId('cc'.repeat(32)) }, /another owner/);
    deny({ sourcePeer: parsePeerId('cc'.repeat(32)) }, /another peer/);
    deny({ stripe: parseStripeId('cc'.repeat(32)) }, /another stripe/);
    deny({ bytes: 6001 }, /allows 6000 bytes, not 6001/);
    deny({ nowMs: grant.expiresMs + CLOCK_SKEW_MS + 1 }, /expired/);
    deny({ nowMs: NOW - CLOCK_SKEW_MS - 1 }, /longer/);
  });

  test('is refused when somebody else signed it, or for something else', () => {
    refused(() => openGrant(sealSigned('grant', encodeGrant(grant), stranger)), 'PERMISSION_DENIED');
    refused(() => openGrant(sealSigned('label', encodeGrant(grant), signing)), 'PERMISSION_DENIED');
    refused(() => openGrant(sealSigned('grant', Uint8Array.of(10, 1, 1), signing)), 'CORRUPT');
    refused(() => openGrant(new Uint8Array(MAX_GRANT_BYTES + 1)), 'LIMIT_EXCEEDED');
  });
});

describe('an order to delete', () => {
  const targetPeer = sourcePeer;
  const chunks = [parseChunkId('01'.repeat(32)), parseChunkId('02'.repeat(32))];
  const order: DeleteOrder = { owner, targetPeer, chunks, issuedMs: NOW };

  test('is read as it was written, however long after', () => {
    const signed = sealSigned('delete', encodeDeleteOrder(order), signing);
    assert.deepEqual(openDeleteOrder(signed), { ...order, generation: 1 });
    checkDeleteOrder(order, { targetPeer, nowMs: NOW + 1e12 });
    checkDeleteOrder(order, { targetPeer, nowMs: NOW - CLOCK_SKEW_MS });
  });

  test('is for one peer, and not from the future', () => {
    const other = parsePeerId('cc'.repeat(32));
    refused(() => checkDeleteOrder(order, { targetPeer: other, nowMs: NOW }), 'PERMISSION_DENIED', /another peer/);
    refused(
      () => checkDeleteOrder(order, { targetPeer, nowMs: NOW - CLOCK_SKEW_MS - 1 }),
      'PERMISSION_DENIED',
      /future/,
    );
  });

  test('is refused when somebody else signed it, or for something else', () => {
    refused(() => openDeleteOrder(sealSigned('delete', encodeDeleteOrder(order), stranger)), 'PERMISSION_DENIED');
    refused(() => openDeleteOrder(sealSigned('grant', encodeDeleteOrder(order), signing)), 'PERMISSION_DENIED');
  });

  test('names 1 to MAX_IDS_PER_CALL chunks', () => {
    const many = Array.from({ length: MAX_IDS_PER_CALL }, () => chunks[0] ?? parseChunkId('01'.repeat(32)));
    const signed = sealSigned('delete', encodeDeleteOrder({ ...order, chunks: many }), signing);
    assert.equal(openDeleteOrder(signed).chunks.length, MAX_IDS_PER_CALL);
    assert.throws(() => encodeDeleteOrder({ ...order, chunks: [] }), /bug/);
    const raw = { owner: idBytes(owner), targetPeer: idBytes(targetPeer), issuedMs: NOW };
    for (const count of [0, MAX_IDS_PER_CALL + 1]) {
      const body = DeleteOrderBody.encode({ ...raw, chunks: Array.from({ length: count }, () => new Uint8Array(32)) });
      refused(() => openDeleteOrder(sealSigned('delete', body.finish(), signing)), 'LIMIT_EXCEEDED');
    }
    refused(() => openDeleteOrder(new Uint8Array(MAX_DELETE_ORDER_BYTES + 1)), 'LIMIT_EXCEEDED');
  });
});
