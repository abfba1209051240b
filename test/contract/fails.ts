import assert from 'node:assert/strict';
import { StorageError, type ErrorCode } from '../../src/errors.js';

/** Asserts that it fails with one of these codes. */
export function fails(work: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(StorageError.is(error, ...codes), `expected ${codes.join(' or ')}, got ${String(error)}`);
    return true;
  });
}
