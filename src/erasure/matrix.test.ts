import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entryOf, generatorRows, invert, matrix, multiply, parityMatrix, rowOf, type Matrix } from './matrix.js';
import { noise, slowFactor, subsets } from './oracle.js';

function identity(size: number): Matrix {
  return matrix(size, size, (row, column) => Number(row === column));
}

describe('matrices', () => {
  test('an inverse is one from both sides', () => {
    const square = generatorRows(8, 8, [8, 9, 3, 15, 0, 11, 12, 13]);
    assert.deepEqual(multiply(square, invert(square)), identity(8));
    assert.deepEqual(multiply(invert(square), square), identity(8));
  });

  test('inverts where the diagonal has zeros', () => {
    const turned = matrix(5, 5, (row, column) => Number((row + 1) % 5 === column) * (row + 2));
    assert.deepEqual(multiply(turned, invert(turned)), identity(5));
  });

  test('a singular matrix is a bug, not a result', () => {
    assert.throws(() => invert(matrix(3, 3, () => 1)), /bug: /);
  });

  test('multiplies by definition', () => {
    const left = matrix(2, 3, (row, column) => noise(6)[row * 3 + column] ?? 0);
    assert.deepEqual(multiply(left, identity(3)), left);
    assert.throws(() => multiply(left, identity(2)), /bug: /);
  });
});

describe('the parity matrix', () => {
  test('is the formula of the specification, for every k and m', () => {
    for (let k = 2; k < 64; k++) {
      const parity = parityMatrix(k, 64 - k);
      for (let row = 0; row < parity.rows; row += 7) {
        for (let column = 0; column < k; column++) {
          assert.equal(entryOf(parity, row, column), slowFactor(k, row, column));
        }
      }
    }
  });

  test('begins with a row of ones', () => {
    for (let k = 2; k < 64; k++) assert.deepEqual(rowOf(parityMatrix(k, 1), 0), new Uint8Array(k).fill(1));
  });

  test('does not depend on m but for its length', () => {
    assert.deepEqual(rowOf(parityMatrix(10, 4), 1), rowOf(parityMatrix(10, 2), 1));
  });

  // The property that "any k of n" is: each k rows of the generator are independent.
  for (const [k, m] of [
    [2, 6],
    [3, 3],
    [4, 2],
    [5, 5],
    [8, 3],
    [14, 2],
    [62, 2],
  ] as const) {
    test(`any ${String(k)} rows of ${String(k)} + ${String(m)} have an inverse`, () => {
      for (const lost of subsets(k + m, m)) {
        const kept = Array.from({ length: k + m }, (_, index) => index).filter((index) => !lost.includes(index));
        if (k > 20 && lost.some((index) => index % 10 !== 0)) continue;
        const rows = generatorRows(k, m, kept);
        assert.deepEqual(multiply(invert(rows), rows), identity(k));
      }
    });
  }
});
