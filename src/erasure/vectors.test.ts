import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { toHex, u32 } from '../bytes.js';
import { StorageError } from '../errors.js';
import { multiply, POLYNOMIAL } from './galois.js';
import { parityMatrix, rowOf, type Matrix } from './matrix.js';
import { encodeChunks } from './reed-solomon.js';
import { checkScheme, chunkBytesFor, planRecovery } from './recovery.js';
import { StripeBuffer } from './stripe-buffer.js';

interface Scheme {
  readonly k: number;
  readonly m: number;
}

interface Vectors {
  readonly polynomial: number;
  readonly products: readonly (readonly [a: number, b: number, product: number])[];
  readonly parity: readonly (Scheme & { readonly rows: readonly string[] })[];
  readonly stripes: readonly (Scheme & { readonly stripe: string; readonly chunks: readonly string[] })[];
  readonly longStripes: readonly (Scheme & {
    readonly stripeBytes: number;
    readonly stripeSha256: string;
    readonly chunkBytes: number;
    readonly chunkSha256: readonly string[];
  })[];
  readonly recoveries: readonly (Scheme & {
    readonly sources: readonly number[];
    readonly wanted: readonly number[];
    readonly factors: readonly string[];
  })[];
  readonly refused: {
    readonly schemes: readonly Scheme[];
    readonly recoveries: readonly (Scheme & {
      readonly present: readonly number[];
      readonly wanted: readonly number[];
      readonly code: StorageError['code'];
    })[];
  };
}

// Tests run in the project's folder, wherever they were compiled to.
const vectors = JSON.parse(readFileSync('test/vectors/erasure.json', 'utf8')) as Vectors;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function rowsOf(of: Matrix): string[] {
  return Array.from({ length: of.rows }, (_, row) => toHex(rowOf(of, row)));
}

/** SHA-256 of 0, 1, 2, … as u32, one after the other, cut to `bytes`. */
function longStripe(bytes: number): Uint8Array {
  const hashes = Array.from({ length: Math.ceil(bytes / 32) }, (_, index) =>
    createHash('sha256').update(u32(index)).digest(),
  );
  return Buffer.concat(hashes).subarray(0, bytes);
}

describe('test/vectors/erasure.json', () => {
  test('field', () => {
    assert.equal(POLYNOMIAL, vectors.polynomial);
    for (const [a, b, product] of vectors.products) assert.equal(multiply(a, b), product);
  });

  test('parity matrices', () => {
    for (const { k, m, rows } of vectors.parity) assert.deepEqual(rowsOf(parityMatrix(k, m)), rows);
  });

  test('stripes', () => {
    for (const { k, m, stripe, chunks } of vectors.stripes) {
      assert.deepEqual(encodeChunks(Buffer.from(stripe, 'hex'), k, m).map(toHex), chunks);
    }
  });

  for (const kernel of ['simd', 'plain'] as const) {
    test(`long stripes, ${kernel} kernel`, () => {
      const buffer = new StripeBuffer(kernel);
      for (const { k, m, stripeBytes, stripeSha256, chunkBytes, chunkSha256 } of vectors.longStripes) {
        const stripe = longStripe(stripeBytes);
        assert.equal(sha256(stripe), stripeSha256);
        assert.equal(chunkBytesFor(stripeBytes, k), chunkBytes);
        buffer.shape(k, m, chunkBytes);
        buffer.data().set(stripe);
        buffer.pad(stripeBytes);
        buffer.encode();
        assert.deepEqual(
          Array.from({ length: k + m }, (_, index) => sha256(buffer.chunk(index))),
          chunkSha256,
        );
      }
    });
  }

  test('recoveries', () => {
    for (const { k, m, sources, wanted, factors } of vectors.recoveries) {
      const plan = planRecovery(k, m, sources, wanted);
      assert.deepEqual(plan.sources, sources);
      assert.deepEqual(rowsOf(plan.factors), factors);
    }
  });

  test('what is refused', () => {
    for (const { k, m } of vectors.refused.schemes) {
      assert.throws(
        () => checkScheme(k, m),
        (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
      );
    }
    for (const { k, m, present, wanted, code } of vectors.refused.recoveries) {
      assert.throws(
        () => planRecovery(k, m, present, wanted),
        (error) => StorageError.is(error, code),
      );
    }
  });
});
