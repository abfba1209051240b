import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChunkHeader } from '../chunk/chunk-store.js';
import { encodeDeleteOrder, encodeGrant } from '../chunk/grant.js';
import { parseChunkId, parsePeerId, parseUserId, stripeId } from '../chunk/ids.js';
import { encodeLabel } from '../chunk/label.js';
import { sealSigned } from '../chunk/signed.js';
import { deriveUserKeys, newRootKey, userId } from '../crypto/root-key.js';
import { linkTo, type Signer } from '../crypto/succession.js';
import { GRANT_LIFETIME_MS, SEGMENT_BYTES } from '../limits.js';
import { SignedPermissions } from './permissions.js';

const NOW = 1_700_000_000_000;
const [target, source] = [parsePeerId('aa'.repeat(32)), parsePeerId('bb'.repeat(32))];
const old: Signer = deriveUserKeys(newRootKey()).signing;
const next = deriveUserKeys(newRootKey()).signing;
const present: Signer = { ...old, privateKey: next.privateKey, links: [linkTo(next.publicKey, old)] };
const owner = parseUserId(userId(old.publicKey));
const chunks = Array.from({ length: 6 }, (_, index) => parseChunkId(`0${String(index)}`.repeat(32)));
const chunkBytes = 2501;

function header(by: Signer): ChunkHeader {
  const shape = { k: 4, m: 2, stripeBytes: 10_001, chunkBytes, directoryOffset: 9001, directoryBytes: 1000, chunks };
  const label = sealSigned('label', encodeLabel({ owner, ...shape }), by);
  const [id = parseChunkId('')] = chunks;
  return { id, bytes: chunkBytes, segmentBytes: SEGMENT_BYTES, hashes: new Uint8Array(32), owner, label };
}

function grant(by: Signer): Uint8Array {
  const bytes = 6 * chunkBytes;
  const body = { owner, sourcePeer: source, stripe: stripeId(4, 2, chunks), bytes, expiresMs: NOW + GRANT_LIFETIME_MS };
  return sealSigned('grant', encodeGrant(body), by);
}

function order(by: Signer): Uint8Array {
  return sealSigned('delete', encodeDeleteOrder({ owner, targetPeer: target, chunks, issuedMs: NOW }), by);
}

const knowing = (generation: number | undefined): SignedPermissions =>
  new SignedPermissions(
    target,
    () => NOW,
    () => generation,
  );

test('grants and orders under keys that their owner has retired are refused', () => {
  const permissions = knowing(2);
  permissions.checkPut(header(present), grant(present), source);
  assert.deepEqual(permissions.checkDelete(order(present)).chunks, chunks);
  const retired = { code: 'PERMISSION_DENIED', message: /retired/ };
  assert.throws(() => permissions.checkPut(header(present), grant(old), source), retired);
  assert.throws(() => permissions.checkDelete(order(old)), retired);
});

test('a label of retired keys stays valid', () => {
  knowing(2).checkPut(header(old), grant(present), source);
});

test('a peer that has not heard of the new keys accepts both', () => {
  for (const permissions of [knowing(undefined), knowing(1), new SignedPermissions(target, () => NOW)]) {
    for (const by of [old, present]) {
      permissions.checkPut(header(by), grant(by), source);
      permissions.checkDelete(order(by));
    }
  }
});
