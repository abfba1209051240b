import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tableRows } from '../test/repository.js';
import { assert as invariant, ERRORS, isErrorCode, StorageError, wrapError, type ErrorCode } from './errors.js';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it went wrong`), { code });
}

describe('the table of errors', () => {
  test('gives every code an exit code of its own', () => {
    const exits = Object.values(ERRORS).map(({ exit }) => exit);
    assert.equal(new Set(exits).size, exits.length);
    for (const exit of exits) assert.ok(exit > 0 && exit < 256);
  });

  test('keeps to the ranges of gRPC and HTTP', () => {
    for (const [code, { grpc, http }] of Object.entries(ERRORS)) {
      assert.ok(Number.isInteger(grpc) && grpc >= 1 && grpc <= 16, code);
      assert.ok(Number.isInteger(http) && http >= 400 && http <= 599, code);
    }
  });

  test('knows its own codes and no others', () => {
    assert.ok(isErrorCode('CORRUPT'));
    for (const other of ['corrupt', 'toString', '', 8, undefined]) assert.ok(!isErrorCode(other));
  });

  test('is what docs/errors.md says, in both directions', () => {
    const documented = tableRows('docs/errors.md').slice(1);
    for (const [code = '', meaning = '', todo = ''] of documented) {
      assert.ok(meaning.length > 20 && todo.length > 20, `${code} is explained`);
    }
    assert.deepEqual(
      Object.fromEntries(documented.map(([code = '', , , ...numbers]) => [code, numbers])),
      Object.fromEntries(
        Object.entries(ERRORS).map(([code, { exit, grpc, http, sftp, retryable }]) => [
          code,
          [...[exit, grpc, http, sftp].map(String), retryable ? 'yes' : 'no'],
        ]),
      ),
    );
  });
});

describe('StorageError', () => {
  const full = new StorageError('NO_SPACE', 'The disk is full.', { cause: 'x' });

  test('carries code, message, cause and whether trying again helps', () => {
    assert.equal(full.name, 'StorageError');
    assert.equal(full.code, 'NO_SPACE');
    assert.equal(full.message, 'The disk is full.');
    assert.equal(full.cause, 'x');
    assert.ok(full.retryable);
    assert.ok(!new StorageError('CORRUPT', '').retryable);
  });

  test('is told apart by code', () => {
    assert.ok(StorageError.is(full));
    assert.ok(StorageError.is(full, 'CORRUPT', 'NO_SPACE'));
    assert.ok(!StorageError.is(full, 'CORRUPT'));
    assert.ok(!StorageError.is(new Error('NO_SPACE')));
  });
});

describe('wrapError', () => {
  test('passes a StorageError through unchanged', () => {
    const error = new StorageError('LOCKED', 'Unlock first.');
    assert.equal(wrapError(error, 'reading'), error);
  });

  test('translates what the operating system says', () => {
    const expected: readonly (readonly [string, ErrorCode])[] = [
      ['ENOENT', 'NOT_FOUND'],
      ['EEXIST', 'ALREADY_EXISTS'],
      ['EACCES', 'PERMISSION_DENIED'],
      ['ENOSPC', 'NO_SPACE'],
      ['EDQUOT', 'NO_SPACE'],
      ['EISDIR', 'INVALID_ARGUMENT'],
      ['ECONNRESET', 'UNAVAILABLE'],
      ['ETIMEDOUT', 'TIMEOUT'],
      ['EIO', 'CORRUPT'],
      ['ESOMETHING', 'INTERNAL'],
      ['toString', 'INTERNAL'],
    ];
    for (const [system, code] of expected) {
      const cause = systemError(system);
      const wrapped = wrapError(cause, 'reading /cat.jpg');
      assert.equal(wrapped.code, code, system);
      assert.equal(wrapped.cause, cause);
      assert.match(wrapped.message, /^reading \/cat\.jpg failed: /);
    }
  });

  test('knows an abort, and anything else is INTERNAL', () => {
    const abort = new DOMException('stop', 'AbortError');
    assert.equal(wrapError(abort, 'reading').code, 'CANCELLED');
    assert.equal(wrapError('a string', 'reading').code, 'INTERNAL');
    assert.match(wrapError('a string', 'reading').message, /a string/);
  });
});

test('a broken invariant is called a bug, not a StorageError', () => {
  invariant(true, 'fine');
  assert.throws(
    () => invariant(false, 'two owners'),
    (error) => error instanceof Error && !StorageError.is(error) && error.message === 'bug: two owners',
  );
});
