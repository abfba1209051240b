import assert from 'node:assert/strict';
import { createHash, diffieHellman, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { toHex } from '../bytes.js';
import { deriveUserKeys, newRootKey, stripeDirectoryKey, userId } from './root-key.js';

test('a root key always yields the same keys, and no two of them alike', () => {
  const rootKey = newRootKey();
  const [one, two] = [deriveUserKeys(rootKey), deriveUserKeys(rootKey)];
  assert.deepEqual(one.signing.publicKey, two.signing.publicKey);
  const raw = [one.catalogKey, one.directoryKey, one.signing.publicKey, one.sharing.publicKey, rootKey].map(toHex);
  assert.equal(new Set(raw).size, raw.length);
  assert.notDeepEqual(deriveUserKeys(newRootKey()).catalogKey, one.catalogKey);
});

test('the sharing keys of two users agree', () => {
  const [a, b] = [deriveUserKeys(newRootKey()).sharing, deriveUserKeys(newRootKey()).sharing];
  assert.deepEqual(
    diffieHellman({ privateKey: a.privateKey, publicKey: createPublicKey(b.privateKey) }),
    diffieHellman({ privateKey: b.privateKey, publicKey: createPublicKey(a.privateKey) }),
  );
  assert.equal(a.publicKey.length, 32);
});

test('every stripe has a directory key of its own', () => {
  const { directoryKey } = deriveUserKeys(newRootKey());
  const salt = new Uint8Array(32);
  const first = stripeDirectoryKey(directoryKey, salt);
  assert.deepEqual(stripeDirectoryKey(directoryKey, salt), first);
  salt[31] = 1;
  assert.notDeepEqual(stripeDirectoryKey(directoryKey, salt), first);
});

test('a user id is the hash of label and public key', () => {
  const publicKey = new Uint8Array(32).fill(9);
  const expected = createHash('sha256').update('shoal/user/1').update(publicKey).digest('hex');
  assert.equal(userId(publicKey), expected);
});
