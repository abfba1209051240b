import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deriveUserKeys, newRootKey, userId } from '../crypto/root-key.js';
import { type ErrorCode, StorageError } from '../errors.js';
import { Signed, StripeLabel } from '../gen/shoal/v1/format.js';
import { MAX_CHUNK_BYTES, MAX_LABEL_BYTES, SEGMENT_BYTES } from '../limits.js';
import { parseChunkId, parseUserId, stripeId } from './ids.js';
import { decodeLabel, encodeLabel, type Label, openLabel } from './label.js';
import { sealSigned } from './signed.js';

const { signing } = deriveUserKeys(newRootKey());
const owner = parseUserId(userId(signing.publicKey));
const chunks = Array.from({ length: 6 }, (_, index) => parseChunkId(`0${String(index)}`.repeat(32)));
const label: Label = {
  owner,
  k: 4,
  m: 2,
  stripeBytes: 10_001,
  chunkBytes: 2501,
  directoryOffset: 9001,
  directoryBytes: 1000,
  chunks,
};

function refused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => StorageError.is(error, code));
}

/** A body with some fields changed, past the checks of encodeLabel. */
function altered(change: Partial<StripeLabel>): Uint8Array {
  return StripeLabel.encode({ ...StripeLabel.decode(encodeLabel(label)), ...change }).finish();
}

describe('a label', () => {
  test('is read as it was written, and names its stripe', () => {
    assert.deepEqual(decodeLabel(encodeLabel(label)), { ...label, stripe: stripeId(4, 2, chunks) });
  });

  test('opens when its owner signed it', () => {
    assert.equal(openLabel(sealSigned('label', encodeLabel(label), signing)).owner, owner);
  });

  test('may have 64 chunks', () => {
    const many = Array.from({ length: 64 }, (_, index) => parseChunkId(index.toString(16).padStart(2, '0').repeat(32)));
    const whole = { ...label, k: 60, m: 4, chunkBytes: Math.ceil(10_001 / 60), chunks: many };
    const signed = sealSigned('label', encodeLabel(whole), signing);
    assert.ok(signed.length <= MAX_LABEL_BYTES);
    assert.equal(openLabel(signed).chunks.length, 64);
  });

  test('is refused for every number that does not fit the others', () => {
    const wrong: Partial<StripeLabel>[] = [
      { k: 1, m: 5, chunkBytes: 10_001 },
      { k: 0, m: 6 },
      { k: 6, m: 0, chunkBytes: 1667 },
      { m: 3 },
      { m: 61 },
      { chunks: [] },
      { chunks: Array.from({ length: 7 }, () => new Uint8Array(32)) },
      { chunks: Array.from({ length: 6 }, () => new Uint8Array(31)) },
      { owner: new Uint8Array(31) },
      { stripeBytes: 0, chunkBytes: 0, directoryOffset: 0, directoryBytes: 0 },
      { chunkBytes: 2500 },
      { chunkBytes: 2502 },
      {
        stripeBytes: 4 * MAX_CHUNK_BYTES + 1,
        chunkBytes: MAX_CHUNK_BYTES + 1,
        directoryOffset: 4 * MAX_CHUNK_BYTES - 999,
      },
      { directoryOffset: 9000 },
      { directoryOffset: 9002 },
      { directoryOffset: 9951, directoryBytes: 50 },
      { directoryOffset: 10_001, directoryBytes: 0 },
    ];
    for (const change of wrong) refused(() => decodeLabel(altered(change)), 'CORRUPT');
    refused(() => decodeLabel(Uint8Array.of(255, 255)), 'CORRUPT');
    refused(() => decodeLabel(new Uint8Array(MAX_LABEL_BYTES + 1)), 'LIMIT_EXCEEDED');
    refused(() => encodeLabel({ ...label, k: 1 }), 'INVALID_ARGUMENT');
  });

  test('of a later format is UNSUPPORTED', () => {
    refused(() => decodeLabel(altered({ format: 2, k: 0 })), 'UNSUPPORTED');
    refused(() => decodeLabel(altered({ segmentBytes: 2 * SEGMENT_BYTES })), 'UNSUPPORTED');
  });

  test('is refused when altered, signed for another purpose, or signed by somebody else', () => {
    const body = encodeLabel(label);
    const signed = Signed.decode(sealSigned('label', body, signing));
    refused(
      () => openLabel(Signed.encode({ ...signed, body: altered({ directoryOffset: 0 }) }).finish()),
      'PERMISSION_DENIED',
    );
    refused(() => openLabel(Signed.encode({ ...signed, signature: new Uint8Array(64) }).finish()), 'PERMISSION_DENIED');
    refused(() => openLabel(Signed.encode({ ...signed, publicKey: new Uint8Array(0) }).finish()), 'PERMISSION_DENIED');
    refused(() => openLabel(sealSigned('grant', body, signing)), 'PERMISSION_DENIED');
    refused(() => openLabel(sealSigned('label', body, deriveUserKeys(newRootKey()).signing)), 'PERMISSION_DENIED');
    refused(() => openLabel(new Uint8Array(0)), 'PERMISSION_DENIED');
    refused(() => openLabel(sealSigned('label', Uint8Array.of(255), signing)), 'CORRUPT');
    refused(() => openLabel(new Uint8Array(MAX_LABEL_BYTES + 1)), 'LIMIT_EXCEEDED');
  });
});
