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

export function textOf(row: Row, column: string): string {
  const value = row[column];
  assert(typeof value === 'string', `${column} is text`);
  return value;
}
