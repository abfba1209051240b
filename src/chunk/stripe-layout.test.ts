import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sealedBytes } from '../crypto/seal.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../limits.js';
import { directoryEntryBytes, sealedDirectoryBytes } from './directory.js';
import { maxExtentPlainBytes, maxStripeBytes, segmentsFor } from './stripe-layout.js';

const k = fc.integer({ min: 2, max: 62 });
const chunkBytes = fc.integer({ min: 1, max: MAX_CHUNK_BYTES });

describe('the layout of a stripe', () => {
  test('is at most k full chunks long', () => {
    assert.equal(maxStripeBytes(4), 4 * MAX_CHUNK_BYTES);
    assert.throws(() => maxStripeBytes(1), /bug/);
  });

  test('the segments for a range are those it touches, in order', () => {
    fc.assert(
      fc.property(k, chunkBytes, fc.nat(), fc.nat(), (k, chunkBytes, a, b) => {
        const total = k * chunkBytes;
        const start = a % total;
        const end = start + 1 + (b % (total - start));
        const parts = segmentsFor({ start, end }, k, chunkBytes);
        let at = start;
        for (const part of parts) {
          assert.equal(part.index * chunkBytes + part.start, at);
          assert.ok(part.index < k && part.start < part.end && part.end <= chunkBytes);
          at += part.end - part.start;
          const touched = new Set<number>();
          for (let byte = part.start; byte < part.end; byte += SEGMENT_BYTES)
            touched.add(Math.floor(byte / SEGMENT_BYTES));
          touched.add(Math.floor((part.end - 1) / SEGMENT_BYTES));
          assert.deepEqual(part.segments, [...touched]);
        }
        assert.equal(at, end);
      }),
    );
    for (const range of [
      { start: 0, end: 0 },
      { start: -1, end: 1 },
      { start: 0, end: 21 },
    ]) {
      assert.throws(() => segmentsFor(range, 2, 10), /bug/);
    }
  });

  test('the largest single extent leaves room for its directory, and not for a byte more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 25 }), fc.integer({ min: 2, max: 4096 }), (stripeBytes, length) => {
        const path = `/${'a'.repeat(length - 1)}`;
        const room = stripeBytes - sealedDirectoryBytes(directoryEntryBytes(path));
        const plain = maxExtentPlainBytes(stripeBytes, path);
        assert.ok(plain === 0 || sealedBytes(plain) <= room);
        assert.ok(sealedBytes(plain + 1) > room);
      }),
    );
  });
});
