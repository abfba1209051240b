import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  EXTENT_HEADER_BYTES,
  ExtentUnsealer,
  newExtentKey,
  sealedBytes,
  sealedRange,
  sealExtentInto,
  unsealExtent,
  unsealRange,
} from '../../src/crypto/seal.js';
import { StorageError } from '../../src/errors.js';
import { BLOCK_BYTES } from '../../src/limits.js';

const SEALED_BLOCK_BYTES = BLOCK_BYTES + 16;
const RUNS = { numRuns: 100 };

interface Extent {
  readonly key: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Bytes without a period that a block could share. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >>> 8) * 17 + (at >>> 16) * 101 + seed) & 255);
}

function seal(plaintext: Uint8Array): Extent {
  const key = newExtentKey();
  const sealed = new Uint8Array(sealedBytes(plaintext.length));
  sealExtentInto(key, plaintext, sealed);
  return { key, plaintext, sealed };
}

/** Extents whose last block is full, nearly full, or short: the ends are where a scheme breaks. */
const lengths = [
  1,
  100,
  BLOCK_BYTES - 1,
  BLOCK_BYTES,
  BLOCK_BYTES + 1,
  2 * BLOCK_BYTES,
  3 * BLOCK_BYTES,
  4 * BLOCK_BYTES + 9,
];
const all = lengths.map((length, seed) => seal(pattern(length, seed)));
const extent = fc.constantFrom(...all);
const several = fc.constantFrom(...all.filter((one) => one.plaintext.length > 2 * BLOCK_BYTES));

function blocksOf({ sealed }: Extent): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = EXTENT_HEADER_BYTES; at < sealed.length; at += SEALED_BLOCK_BYTES) {
    blocks.push(sealed.subarray(at, at + SEALED_BLOCK_BYTES));
  }
  return blocks;
}

function join({ sealed }: Extent, blocks: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([sealed.subarray(0, EXTENT_HEADER_BYTES), ...blocks]);
}

/** `altered` is refused, whole and streamed, and what came out before that is a true beginning of the plaintext. */
function refused({ key, plaintext }: Extent, altered: Uint8Array): void {
  const whole: Uint8Array[] = [];
  const streamed: Uint8Array[] = [];
  const isRefusal = (error: unknown): boolean => StorageError.is(error, 'CORRUPT', 'UNSUPPORTED');
  assert.throws(() => {
    for (const block of unsealExtent(key, altered)) whole.push(block);
  }, isRefusal);
  assert.throws(() => {
    const unsealer = new ExtentUnsealer(key, plaintext.length);
    for (let at = 0; at < altered.length; at += 100_000)
      streamed.push(...unsealer.push(altered.subarray(at, at + 100_000)));
    unsealer.end();
  }, isRefusal);
  for (const blocks of [whole, streamed]) {
    const before = Buffer.concat(blocks);
    assert.deepEqual(before, Buffer.from(plaintext.subarray(0, before.length)));
  }
}

describe('sealed blocks are refused after', () => {
  test('any permutation', () => {
    const permuted = several.chain((one) => {
      const blocks = blocksOf(one);
      const order = fc.shuffledSubarray([...blocks.keys()], { minLength: blocks.length });
      return order.map((order) => ({ one, blocks, order }));
    });
    fc.assert(
      fc.property(permuted, ({ one, blocks, order }) => {
        fc.pre(order.some((from, to) => from !== to));
        refused(
          one,
          join(
            one,
            order.map((index) => blocks[index] ?? new Uint8Array(0)),
          ),
        );
      }),
      RUNS,
    );
  });

  test('any drop', () => {
    const kept = extent.chain((one) => fc.subarray(blocksOf(one)).map((blocks) => ({ one, blocks })));
    fc.assert(
      fc.property(kept, ({ one, blocks }) => {
        fc.pre(blocks.length < blocksOf(one).length);
        refused(one, join(one, blocks));
      }),
      RUNS,
    );
  });

  test('any duplicate', () => {
    fc.assert(
      fc.property(extent, fc.nat(), fc.nat(), (one, from, to) => {
        const blocks = blocksOf(one);
        const copy = blocks[from % blocks.length] ?? new Uint8Array(0);
        refused(one, join(one, blocks.toSpliced(to % (blocks.length + 1), 0, copy)));
        if (from % blocks.length !== to % blocks.length) {
          refused(one, join(one, blocks.with(to % blocks.length, copy)));
        }
      }),
      RUNS,
    );
  });

  test('any flipped bit', () => {
    fc.assert(
      fc.property(extent, fc.nat(), fc.integer({ min: 0, max: 7 }), (one, at, bit) => {
        const altered = one.sealed.slice();
        // Half of the flips in the first bytes, where the header is.
        const index = at % (at % 2 === 0 ? Math.min(60, altered.length) : altered.length);
        altered[index] = (altered[index] ?? 0) ^ (1 << bit);
        refused(one, altered);
      }),
      RUNS,
    );
  });

  test('any splice with another extent', () => {
    fc.assert(
      fc.property(several, several, fc.nat(), (one, other, at) => {
        fc.pre(one !== other);
        const [mine, theirs] = [blocksOf(one), blocksOf(other)];
        const index = at % Math.min(mine.length, theirs.length);
        refused(one, join(one, mine.with(index, theirs[index] ?? new Uint8Array(0))));
        refused(one, join(one, [...mine.slice(0, index), ...theirs.slice(index)]));
        refused(one, join(other, mine));
      }),
      RUNS,
    );
  });

  test('any truncation or extension', () => {
    fc.assert(
      fc.property(extent, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 100 }), (one, length, more) => {
        refused(one, one.sealed.subarray(0, length % one.sealed.length));
        refused(one, Buffer.concat([one.sealed, more]));
      }),
      RUNS,
    );
    for (const one of all) {
      // At the borders of blocks, where nothing but the last flag and the length tell.
      for (let at = EXTENT_HEADER_BYTES; at < one.sealed.length; at += SEALED_BLOCK_BYTES) {
        refused(one, one.sealed.subarray(0, at));
      }
    }
  });
});

describe('a range of an extent', () => {
  const inside = extent.chain((one) => {
    const length = one.plaintext.length;
    return fc
      .tuple(fc.nat(length - 1), fc.nat(length - 1))
      .map(([a, b]) => ({ one, start: Math.min(a, b), end: Math.max(a, b) + 1 }));
  });

  test('equals the slice', () => {
    fc.assert(
      fc.property(inside, ({ one, start, end }) => {
        const range = sealedRange(start, end, one.plaintext.length);
        const pieces = unsealRange(one.key, one.sealed.subarray(range.start, range.end), range);
        assert.deepEqual(Buffer.concat([...pieces]), Buffer.from(one.plaintext.subarray(start, end)));
      }),
      RUNS,
    );
  });

  test('is refused from another place, of another length, or after a flip', () => {
    fc.assert(
      fc.property(inside, fc.nat(), ({ one, start, end }, at) => {
        const range = sealedRange(start, end, one.plaintext.length);
        const sealed = one.sealed.slice(range.start, range.end);
        const corrupt = (bytes: Uint8Array, from = range): void => {
          assert.throws(
            () => [...unsealRange(one.key, bytes, from)],
            (error) => StorageError.is(error, 'CORRUPT'),
          );
        };
        corrupt(sealed.subarray(1));
        corrupt(Buffer.concat([sealed, Uint8Array.of(0)]));
        corrupt(sealed, { ...range, firstBlock: range.firstBlock + 1, total: range.total + BLOCK_BYTES });
        sealed[at % sealed.length] = (sealed[at % sealed.length] ?? 0) ^ 1;
        corrupt(sealed);
      }),
      RUNS,
    );
  });
});

test('pieces of any size seal to the same bytes, and open from them', () => {
  fc.assert(
    fc.property(extent, fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }), (one, sizes) => {
      const cut = (bytes: Uint8Array): Uint8Array[] => {
        let at = 0;
        const pieces = sizes.map((size) => bytes.subarray(at, (at += size)));
        return [...pieces, bytes.subarray(at)];
      };
      const out = new Uint8Array(one.sealed.length);
      assert.equal(sealExtentInto(one.key, cut(one.plaintext), out), out.length);
      assert.deepEqual(out, one.sealed);
      const unsealer = new ExtentUnsealer(one.key, one.plaintext.length);
      const blocks = cut(one.sealed).flatMap((piece) => unsealer.push(piece));
      unsealer.end();
      assert.deepEqual(Buffer.concat(blocks), Buffer.from(one.plaintext));
    }),
    RUNS,
  );
});
