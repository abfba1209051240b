import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { utf8 } from '../bytes.js';
import { StorageError } from '../errors.js';
import { DOCUMENT_OVERHEAD_BYTES, sealDocument, unsealDocument } from './document-seal.js';

const key = randomBytes(32);
const aad = utf8('type and owner');

function refused(seal: () => unknown): void {
  assert.throws(seal, (error) => StorageError.is(error, 'CORRUPT'));
}

test('a document opens under its key and plain fields', () => {
  for (const length of [0, 1, 5000]) {
    const plain = randomBytes(length);
    const sealed = sealDocument(key, aad, plain);
    assert.equal(sealed.length, length + DOCUMENT_OVERHEAD_BYTES);
    assert.deepEqual(Buffer.from(unsealDocument(key, aad, sealed)), plain);
  }
});

test('the same document sealed twice shows no likeness', () => {
  const plain = utf8('the same');
  assert.notDeepEqual(sealDocument(key, aad, plain), sealDocument(key, aad, plain));
});

test('a document does not open with any byte, its fields or its key changed, or cut', () => {
  const sealed = sealDocument(key, aad, utf8('a plain text'));
  for (let index = 0; index < sealed.length; index++) {
    const altered = Uint8Array.from(sealed);
    altered[index] = (altered[index] ?? 0) ^ 1;
    refused(() => unsealDocument(key, aad, altered));
  }
  refused(() => unsealDocument(key, utf8('type and other'), sealed));
  refused(() => unsealDocument(randomBytes(32), aad, sealed));
  refused(() => unsealDocument(key, aad, sealed.subarray(0, sealed.length - 1)));
  refused(() => unsealDocument(key, aad, sealed.subarray(0, DOCUMENT_OVERHEAD_BYTES - 1)));
});
