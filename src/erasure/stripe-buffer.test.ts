import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../errors.js';
import { MAX_CHUNK_BYTES } from '../limits.js';
import { noise, slowEncode, subsets } from './oracle.js';
import { chunkBytesFor } from './recovery.js';
import { StripeBuffer } from './stripe-buffer.js';

function fill(buffer: StripeBuffer, stripe: Uint8Array, k: number, m: number): void {
  buffer.shape(k, m, chunkBytesFor(stripe.length, k));
  buffer.data().set(stripe);
  buffer.pad(stripe.length);
  buffer.encode();
}

function chunksOf(buffer: StripeBuffer): Uint8Array[] {
  return Array.from({ length: buffer.k + buffer.m }, (_, index) => buffer.chunk(index).slice());
}

function others(n: number, indices: readonly number[]): number[] {
  return Array.from({ length: n }, (_, index) => index).filter((index) => !indices.includes(index));
}

const refused = (code: StorageError['code']) => (error: unknown) => StorageError.is(error, code);

for (const kernel of ['simd', 'plain'] as const) {
  describe(`StripeBuffer, ${kernel} kernel`, () => {
    const buffer = new StripeBuffer(kernel);

    for (const [k, m] of [
      [4, 2],
      [3, 3],
    ] as const) {
      test(`${String(k)} + ${String(m)} survives every loss that it may`, () => {
        for (const bytes of [1, k, 15 * k, 16 * k + 1, 64 * k, 65 * k - 1]) {
          fill(buffer, noise(bytes), k, m);
          const chunks = chunksOf(buffer);
          for (let count = 0; count <= m; count++) {
            for (const lost of subsets(k + m, count)) {
              for (const index of lost) buffer.chunk(index).fill(0xee);
              buffer.reconstruct(others(k + m, lost), lost);
              assert.deepEqual(chunksOf(buffer), chunks, `lost ${lost.join()} of ${String(bytes)} bytes`);
            }
          }
        }
      });
    }

    const scheme = fc.record({ k: fc.integer({ min: 2, max: 10 }), m: fc.integer({ min: 1, max: 6 }) });
    const length = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(15, 16, 17, 63, 64, 65, 127, 128, 129));

    test('codes by definition and rebuilds from any k of n, in any order', () => {
      fc.assert(
        fc.property(scheme, length, fc.nat(), fc.infiniteStream(fc.nat(999)), ({ k, m }, bytes, seed, random) => {
          const stripe = noise(bytes, seed);
          const expected = slowEncode(stripe, k, m);
          fill(buffer, stripe, k, m);
          assert.deepEqual(chunksOf(buffer), expected);
          const order = others(k + m, []).map((index) => ({ index, rank: Number(random.next().value) }));
          const shuffled = order.toSorted((a, b) => a.rank - b.rank).map(({ index }) => index);
          const [kept, lost] = [shuffled.slice(0, k), shuffled.slice(k)];
          for (const index of lost) buffer.chunk(index).fill(0xee);
          buffer.reconstruct(kept, lost);
          assert.deepEqual(chunksOf(buffer), expected);
        }),
        { numRuns: 300 },
      );
    });

    test('rebuilds a range of a chunk from that range of k others, and touches nothing else', () => {
      fill(buffer, noise(4 * 1000), 4, 2);
      const chunks = chunksOf(buffer);
      for (const [start, end] of [
        [0, 1000],
        [0, 1],
        [128, 256],
        [333, 700],
        [999, 1000],
        [500, 500],
      ] as const) {
        for (const index of others(6, [])) buffer.chunk(index).fill(0xee);
        for (const index of [1, 3, 4, 5]) {
          buffer.chunk(index).set(chunks[index]?.subarray(start, end) ?? [], start);
        }
        const before = chunksOf(buffer);
        buffer.reconstruct([1, 3, 4, 5], [2], { start, end });
        before[2]?.set(chunks[2]?.subarray(start, end) ?? [], start);
        assert.deepEqual(chunksOf(buffer), before);
      }
    });

    test('codes a stripe range by range', () => {
      fill(buffer, noise(3 * 500), 3, 2);
      const chunks = chunksOf(buffer);
      buffer.chunk(3).fill(0);
      buffer.chunk(4).fill(0);
      for (let start = 0; start < 500; start += 70) buffer.encode({ start, end: Math.min(start + 70, 500) });
      assert.deepEqual(chunksOf(buffer), chunks);
    });

    test('keeps no trace of the stripe before', () => {
      fill(buffer, noise(9000), 9, 3);
      fill(buffer, noise(101), 4, 2);
      assert.deepEqual(chunksOf(buffer), slowEncode(noise(101), 4, 2));
      fill(buffer, noise(101, 7), 5, 2);
      assert.deepEqual(chunksOf(buffer), slowEncode(noise(101, 7), 5, 2));
      const chunks = chunksOf(buffer);
      buffer.reconstruct([0, 1, 2, 3, 5], [4]);
      fill(buffer, noise(101, 7), 4, 3);
      const other = slowEncode(noise(101, 7), 4, 3);
      buffer.chunk(4).fill(0xee);
      buffer.reconstruct([0, 1, 2, 3, 5], [4]);
      assert.deepEqual(chunksOf(buffer), other);
      assert.notDeepEqual(other[4], chunks[4]);
    });

    test('pads with zeros and nothing more', () => {
      buffer.shape(4, 2, 10);
      buffer.data().fill(0xff);
      buffer.pad(33);
      assert.deepEqual(buffer.data(), new Uint8Array(40).fill(0xff, 0, 33));
      buffer.pad(40);
      assert.equal(buffer.data()[32], 0xff);
    });

    test('data() is the data chunks in a row, and all views show one memory', () => {
      buffer.shape(3, 2, 7);
      buffer.data().set(noise(21));
      assert.deepEqual(buffer.chunk(2), noise(21).subarray(14));
      buffer.chunk(0).fill(9);
      assert.deepEqual(buffer.data().subarray(0, 7), new Uint8Array(7).fill(9));
    });

    test('refuses what is no stripe, and stays as it was', () => {
      fill(buffer, noise(100), 4, 2);
      for (const [k, m, bytes] of [
        [1, 2, 10],
        [4, 0, 10],
        [63, 2, 10],
        [4.5, 2, 10],
        [4, 2, 0],
        [4, 2, 1.5],
        [4, 2, MAX_CHUNK_BYTES + 1],
      ] as const) {
        assert.throws(() => buffer.shape(k, m, bytes), refused('INVALID_ARGUMENT'));
      }
      assert.deepEqual([buffer.k, buffer.m, buffer.chunkBytes], [4, 2, 25]);
      assert.deepEqual(chunksOf(buffer), slowEncode(noise(100), 4, 2));
    });

    test('refuses to rebuild from too few, and rows outside the chunk', () => {
      fill(buffer, noise(100), 4, 2);
      assert.throws(() => buffer.reconstruct([0, 1, 2], [3]), refused('CORRUPT'));
      for (const [start, end] of [
        [-1, 2],
        [0, 26],
        [3, 2],
        [0.5, 2],
      ] as const) {
        const rows = { start, end };
        assert.throws(() => buffer.reconstruct([0, 1, 2, 3], [4], rows), refused('INVALID_ARGUMENT'));
        assert.throws(() => buffer.encode(rows), refused('INVALID_ARGUMENT'));
      }
      assert.throws(() => buffer.chunk(6), /bug: /);
    });

    test('wants a shape first', () => {
      assert.throws(() => new StripeBuffer(kernel).encode(), /bug: /);
    });
  });
}

test('growing detaches the views of a SIMD buffer, as its contract says', () => {
  const buffer = new StripeBuffer('simd');
  buffer.shape(4, 2, 10);
  const view = buffer.data();
  buffer.shape(62, 2, MAX_CHUNK_BYTES);
  assert.equal(view.length, 0);
  assert.equal(buffer.chunk(63).length, MAX_CHUNK_BYTES);
});
