import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { utf8 } from '../bytes.js';
import { SIGNATURE_CONTEXTS, type SignaturePurpose } from './labels.js';
import { deriveUserKeys, newRootKey } from './root-key.js';
import { SIGNATURE_BYTES, signEd25519, signP256, verifyEd25519, verifyP256 } from './signature.js';

const PURPOSES = Object.keys(SIGNATURE_CONTEXTS) as SignaturePurpose[];
const body = utf8('body');

describe("a user's signature (Ed25519)", () => {
  const { privateKey, publicKey } = deriveUserKeys(newRootKey()).signing;

  test('holds for its purpose, its body and its key only', () => {
    for (const purpose of PURPOSES) {
      const signature = signEd25519(purpose, body, privateKey);
      for (const other of PURPOSES) {
        assert.equal(verifyEd25519(other, body, { signature, publicKey }), other === purpose);
      }
      assert.equal(verifyEd25519(purpose, utf8('bodY'), { signature, publicKey }), false);
      const stranger = deriveUserKeys(newRootKey()).signing.publicKey;
      assert.equal(verifyEd25519(purpose, body, { signature, publicKey: stranger }), false);
    }
  });

  test('of the wrong shape is false, not an error', () => {
    const signature = signEd25519('label', body, privateKey);
    for (const wrong of [new Uint8Array(0), signature.subarray(1), new Uint8Array(SIGNATURE_BYTES)]) {
      assert.equal(verifyEd25519('label', body, { signature: wrong, publicKey }), false);
    }
    for (const wrong of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      assert.equal(verifyEd25519('label', body, { signature, publicKey: wrong }), false);
    }
  });
});

describe("a peer's signature (ECDSA P-256)", () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test('holds for its purpose, its body and its key only', () => {
    const signature = signP256('receipt', body, privateKey);
    assert.equal(signature.length, SIGNATURE_BYTES);
    assert.equal(verifyP256('receipt', body, signature, publicKey), true);
    assert.equal(verifyP256('label', body, signature, publicKey), false);
    assert.equal(verifyP256('receipt', utf8('bodY'), signature, publicKey), false);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    assert.equal(verifyP256('receipt', body, signature, stranger), false);
  });

  test('of the wrong shape, or by a key of another kind, is false', () => {
    const signature = signP256('receipt', body, privateKey);
    assert.equal(verifyP256('receipt', body, signature.subarray(1), publicKey), false);
    assert.equal(verifyP256('receipt', body, new Uint8Array(SIGNATURE_BYTES), publicKey), false);
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
    assert.equal(verifyP256('receipt', body, signature, p384), false);
  });
});
