import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { peerIdOf } from '../crypto/peer-identity.js';
import { signP256 } from '../crypto/signature.js';
import { type ErrorCode, StorageError } from '../errors.js';
import { MAX_RECEIPT_BYTES } from '../limits.js';
import { parseChunkId, parsePeerId, parseUserId } from './ids.js';
import { decodeReceipt, makeReceipt, type Promised, verifyReceipt } from './receipt.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const promised: Promised = {
  peer: parsePeerId(peerIdOf(publicKey)),
  chunk: parseChunkId('01'.repeat(32)),
  owner: parseUserId('02'.repeat(32)),
  bytes: 4096,
  storedMs: 1_700_000_000_000,
};
const sign = (body: Uint8Array) => signP256('receipt', body, privateKey);

function refused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => StorageError.is(error, code));
}

test('a receipt is verified against what was asked, and read as it was written', () => {
  const receipt = makeReceipt(promised, sign);
  assert.equal(receipt.peer, promised.peer);
  assert.deepEqual(verifyReceipt(receipt, publicKey, promised), promised);
});

test('a receipt for something else is refused', () => {
  const receipt = makeReceipt(promised, sign);
  for (const asked of [
    { ...promised, chunk: parseChunkId('09'.repeat(32)) },
    { ...promised, owner: parseUserId('09'.repeat(32)) },
    { ...promised, bytes: 4095 },
  ]) {
    refused(() => verifyReceipt(receipt, publicKey, asked), 'PERMISSION_DENIED');
  }
});

test('a receipt that this peer did not sign is refused', () => {
  const receipt = makeReceipt(promised, sign);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  refused(() => verifyReceipt(receipt, other.publicKey, promised), 'PERMISSION_DENIED');
  const inItsName = makeReceipt(promised, (body) => signP256('receipt', body, other.privateKey));
  refused(() => verifyReceipt(inItsName, publicKey, promised), 'PERMISSION_DENIED');
  const forAnother = makeReceipt({ ...promised, peer: parsePeerId('03'.repeat(32)) }, sign);
  refused(() => verifyReceipt(forAnother, publicKey, promised), 'PERMISSION_DENIED');
  const otherPurpose = makeReceipt(promised, (body) => signP256('label', body, privateKey));
  refused(() => verifyReceipt(otherPurpose, publicKey, promised), 'PERMISSION_DENIED');
});

test('bytes that are no receipt are refused', () => {
  refused(() => decodeReceipt(Uint8Array.of(10, 2, 0, 0)), 'CORRUPT');
  refused(() => decodeReceipt(Uint8Array.of(255)), 'CORRUPT');
  refused(() => decodeReceipt(new Uint8Array(MAX_RECEIPT_BYTES + 1)), 'LIMIT_EXCEEDED');
});
