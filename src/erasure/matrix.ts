import { assert } from '../errors.js';
import { divide, multiply as product } from './galois.js';

/** Over GF(2⁸), row by row. Never changed after it was made. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

type Entry = (row: number, column: number) => number;

export function matrix(rows: number, columns: number, entry: Entry): Matrix {
  const at = (_: unknown, index: number): number => entry(Math.floor(index / columns), index % columns);
  return { rows, columns, bytes: Uint8Array.from({ length: rows * columns }, at) };
}

export function entryOf(of: Matrix, row: number, column: number): number {
  return of.bytes[row * of.columns + column] ?? 0;
}

export function rowOf(of: Matrix, row: number): Uint8Array {
  return of.bytes.subarray(row * of.columns, (row + 1) * of.columns);
}

export function multiply(left: Matrix, right: Matrix): Matrix {
  assert(left.columns === right.rows, 'matrices that do not fit');
  return matrix(left.rows, right.columns, (row, column) => {
    let sum = 0;
    for (let i = 0; i < left.columns; i++) sum ^= product(entryOf(left, row, i), entryOf(right, i, column));
    return sum;
  });
}

/**
 * The m × k matrix that makes the parity chunks: a Cauchy matrix over x_r = k + r and y_c = c whose columns are scaled so
 * that its first row is all ones. Every square submatrix of it is invertible (docs/spec/2-erasure.md section 3), and its
 * first parity chunk is the plain XOR of the data chunks, several times as fast as a general row.
 */
export function parityMatrix(k: number, m: number): Matrix {
  return matrix(m, k, (row, column) => divide(k ^ column, (k + row) ^ column));
}

/** @returns those rows of the n × k generator (the identity above the parity matrix) that make the chunks `indices` */
export function generatorRows(k: number, m: number, indices: readonly number[]): Matrix {
  const parity = parityMatrix(k, m);
  return matrix(indices.length, k, (row, column) => {
    const index = indices[row] ?? 0;
    if (index < k) return index === column ? 1 : 0;
    return entryOf(parity, index - k, column);
  });
}

/** Gauss–Jordan elimination. */
export function invert(square: Matrix): Matrix {
  const size = square.rows;
  const work = matrix(size, 2 * size, (row, column) =>
    column < size ? entryOf(square, row, column) : Number(column - size === row),
  );
  for (let column = 0; column < size; column++) {
    movePivot(work, column);
    const pivot = rowOf(work, column);
    scale(pivot, pivot[column] ?? 0);
    for (let row = 0; row < size; row++) {
      if (row !== column) subtractMultiple(rowOf(work, row), pivot, entryOf(work, row, column));
    }
  }
  return matrix(size, size, (row, column) => entryOf(work, row, size + column));
}

/** Adds a row further down that is not 0 in this column: in characteristic 2 that does what swapping does. */
function movePivot(work: Matrix, column: number): void {
  if (entryOf(work, column, column) !== 0) return;
  let row = column + 1;
  while (row < work.rows && entryOf(work, row, column) === 0) row++;
  assert(row < work.rows, 'a singular decode matrix');
  subtractMultiple(rowOf(work, column), rowOf(work, row), 1);
}

function scale(row: Uint8Array, divisor: number): void {
  for (const [column, value] of row.entries()) row[column] = divide(value, divisor);
}

function subtractMultiple(from: Uint8Array, row: Uint8Array, factor: number): void {
  for (const [column, value] of row.entries()) from[column] = (from[column] ?? 0) ^ product(factor, value);
}
