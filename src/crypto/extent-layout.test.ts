import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../errors.js';
import { BLOCK_BYTES } from '../limits.js';
import {
  EXTENT_HEADER_BYTES,
  maxPlainBytes,
  MIN_SEALED_BYTES,
  plainBytes,
  SEALED_BLOCK_BYTES,
  sealedBytes,
  sealedRange,
  TAG_BYTES,
} from './extent-layout.js';

const MAX = 256 * 1024 * 1024;
/** Lengths near the borders of blocks, where the arithmetic can be wrong, and anywhere. */
const length = fc.oneof(
  fc.integer({ min: 1, max: MAX }),
  fc
    .tuple(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: -20, max: 20 }))
    .map(([blocks, by]) => Math.max(1, blocks * BLOCK_BYTES + by)),
);

describe('the lengths of an extent', () => {
  test('are those of the specification', () => {
    assert.equal(sealedBytes(1), 51);
    assert.equal(sealedBytes(BLOCK_BYTES), 34 + 65_552);
    assert.equal(sealedBytes(BLOCK_BYTES + 1), 34 + 65_552 + 17);
  });

  test('plainBytes is the inverse of sealedBytes', () => {
    fc.assert(fc.property(length, (plain) => plainBytes(sealedBytes(plain)) === plain));
  });

  test('every length is either some sealed length or CORRUPT', () => {
    for (let sealed = -1; sealed < 2 * SEALED_BLOCK_BYTES; sealed++) {
      const rest = (sealed - EXTENT_HEADER_BYTES) % SEALED_BLOCK_BYTES;
      if (sealed >= MIN_SEALED_BYTES && (rest === 0 || rest > TAG_BYTES)) {
        assert.equal(sealedBytes(plainBytes(sealed)), sealed);
      } else {
        assert.throws(
          () => plainBytes(sealed),
          (error) => StorageError.is(error, 'CORRUPT'),
        );
      }
    }
    assert.throws(() => plainBytes(Number.NaN), StorageError);
    assert.throws(() => plainBytes(Infinity), StorageError);
  });

  test('maxPlainBytes is the most that fits', () => {
    fc.assert(
      fc.property(length, (room) => {
        const plain = maxPlainBytes(room);
        assert.ok(plain === 0 || sealedBytes(plain) <= room);
        assert.ok(sealedBytes(plain + 1) > room);
      }),
    );
    assert.equal(maxPlainBytes(-5), 0);
    assert.equal(maxPlainBytes(MIN_SEALED_BYTES - 1), 0);
    assert.equal(maxPlainBytes(MIN_SEALED_BYTES), 1);
  });
});

describe('the range to read', () => {
  test('is whole blocks, no more than needed', () => {
    fc.assert(
      fc.property(length, fc.nat(), fc.nat(), (total, a, b) => {
        const start = a % total;
        const end = start + 1 + (b % (total - start));
        const range = sealedRange(start, end, total);
        assert.equal(range.bytes, end - start);
        assert.equal(range.firstBlock * BLOCK_BYTES + range.skip, start);
        assert.ok(range.skip < BLOCK_BYTES);
        assert.equal(range.start, EXTENT_HEADER_BYTES + range.firstBlock * SEALED_BLOCK_BYTES);
        assert.ok(range.end <= sealedBytes(total));
        const plainRead = plainBytes(range.end - range.start + EXTENT_HEADER_BYTES);
        assert.ok(plainRead >= range.skip + range.bytes);
        assert.ok(plainRead - range.skip - range.bytes < BLOCK_BYTES);
      }),
    );
  });

  test('an impossible one is a bug of the caller', () => {
    for (const [start, end, total] of [
      [0, 0, 5],
      [3, 2, 5],
      [0, 6, 5],
      [-1, 2, 5],
      [0.5, 2, 5],
    ] as const) {
      assert.throws(() => sealedRange(start, end, total), /bug/);
    }
  });
});
