import { ID_BYTES } from '../chunk/ids.js';
import { assert } from '../errors.js';
import type { Row } from './sqlite.js';

// STRICT tables hold every column to its type, so a value of another type is a wrong query.

export function integerOf(row: Row, column: string): number {
  const value = row[column];
  assert(typeof value === 'number', `${column} is an integer`);
  return value;
}

export function blobOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  assert(value instanceof Uint8Array, `${column} is a blob`);
  return value;
}

/** Ids of ID_BYTES each, one behind the other. */
export function idsOf(row: Row, column: string): Uint8Array[] {
  const bytes = blobOf(row, column);
  return Array.from({ length: bytes.length / ID_BYTES }, (_, i) => bytes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES));
}

export function textOf(row: Row, column: string): string {
  const value = row[column];
  assert(typeof value === 'string', `${column} is text`);
  return value;
}
