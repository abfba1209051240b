import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../errors.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../limits.js';
import { noise, slowEncode } from './oracle.js';
import { encodeChunks, reconstructRow } from './reed-solomon.js';
import { chunkBytesFor } from './recovery.js';
import { StripeBuffer } from './stripe-buffer.js';

const refused = (code: StorageError['code']) => (error: unknown) => StorageError.is(error, code);

function kept(chunks: readonly Uint8Array[], lost: readonly number[]): Map<number, Uint8Array> {
  return new Map([...chunks.entries()].filter(([index]) => !lost.includes(index)));
}

describe('chunkBytesFor', () => {
  test('rounds up', () => {
    assert.deepEqual(
      [1, 3, 4, 5, 8, 9].map((bytes) => chunkBytesFor(bytes, 4)),
      [1, 1, 1, 2, 2, 3],
    );
  });

  test('has a limit at both ends', () => {
    assert.equal(chunkBytesFor(4 * MAX_CHUNK_BYTES, 4), MAX_CHUNK_BYTES);
    assert.throws(() => chunkBytesFor(4 * MAX_CHUNK_BYTES + 1, 4), refused('INVALID_ARGUMENT'));
    assert.throws(() => chunkBytesFor(0, 4), refused('INVALID_ARGUMENT'));
  });
});

describe('encodeChunks and reconstructRow', () => {
  test('code and rebuild whatever was lost', () => {
    const scheme = fc.record({ k: fc.integer({ min: 2, max: 9 }), m: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(scheme, fc.integer({ min: 1, max: 300 }), fc.nat(), ({ k, m }, bytes, seed) => {
        const chunks = encodeChunks(noise(bytes, seed), k, m);
        assert.deepEqual(chunks, slowEncode(noise(bytes, seed), k, m));
        const lost = Array.from({ length: m }, (_, i) => (seed + i * 3) % (k + m));
        const wanted = [...new Set(lost)];
        assert.deepEqual(
          reconstructRow(k, m, kept(chunks, wanted), wanted),
          wanted.map((index) => chunks[index]),
        );
      }),
    );
  });

  test('pass long chunks through in windows', () => {
    const stripe = noise(2 * (2 * SEGMENT_BYTES + 777));
    const chunks = encodeChunks(stripe, 2, 2);
    const buffer = new StripeBuffer('plain');
    buffer.shape(2, 2, chunkBytesFor(stripe.length, 2));
    buffer.data().set(stripe);
    buffer.encode();
    for (const [index, chunk] of chunks.entries()) assert.ok(Buffer.from(buffer.chunk(index)).equals(chunk));
    const rebuilt = reconstructRow(2, 2, kept(chunks, [1, 0]), [1, 0]);
    assert.ok(chunks[1] && rebuilt[0] && Buffer.from(rebuilt[0]).equals(chunks[1]));
    assert.ok(chunks[0] && rebuilt[1] && Buffer.from(rebuilt[1]).equals(chunks[0]));
  });

  test('do not touch what they are given', () => {
    const stripe = noise(50);
    const chunks = encodeChunks(stripe, 4, 2);
    assert.deepEqual(stripe, noise(50));
    const [first] = chunks;
    first?.fill(0);
    assert.deepEqual(stripe, noise(50));
    const rows = kept(encodeChunks(stripe, 4, 2), [2]);
    reconstructRow(4, 2, rows, [2]);
    assert.deepEqual(rows, kept(encodeChunks(stripe, 4, 2), [2]));
  });

  test('accept rows in any order', () => {
    const chunks = encodeChunks(noise(50), 4, 2);
    const rows = new Map([...kept(chunks, [1, 2])].toReversed());
    assert.deepEqual(reconstructRow(4, 2, rows, [2]), [chunks[2]]);
  });

  test('refuse rows of different lengths, and too few', () => {
    const rows = kept(encodeChunks(noise(50), 4, 2), [0]);
    rows.set(5, new Uint8Array(1));
    assert.throws(() => reconstructRow(4, 2, rows, [0]), refused('INVALID_ARGUMENT'));
    const few = kept(encodeChunks(noise(50), 4, 2), [0, 1, 2]);
    assert.throws(() => reconstructRow(4, 2, few, [0]), refused('CORRUPT'));
    assert.throws(() => encodeChunks(new Uint8Array(0), 4, 2), refused('INVALID_ARGUMENT'));
    assert.throws(() => encodeChunks(noise(10), 1, 2), refused('INVALID_ARGUMENT'));
  });
});
