import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { ERRORS, isErrorCode, StorageError } from '../errors.js';
import { MAX_ERROR_CHARS } from '../limits.js';
import { ERROR_CODE_TRAILER, fromServiceError, toRefusal, type Refusal } from './status.js';

function foreign(code: number, details = 'because'): Refusal {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

describe('toRefusal', () => {
  it('carries code and message of every StorageError, under the status of the table', () => {
    for (const code of Object.keys(ERRORS).filter(isErrorCode)) {
      const refusal = toRefusal(new StorageError(code, 'Do this next.', { cause: new Error('/secret/path') }));
      assert.equal(refusal.code, ERRORS[code].grpc);
      assert.deepEqual(refusal.metadata.get(ERROR_CODE_TRAILER), [code]);
      const back = fromServiceError(refusal, 'Peer X');
      assert.equal(back.code, code);
      if (code !== 'INTERNAL') assert.equal(back.message, 'Peer X: Do this next.');
      assert.doesNotMatch(JSON.stringify([refusal.details, refusal.metadata.toJSON()]), /secret/);
    }
  });

  it('keeps the text of our own failures to ourselves', () => {
    for (const error of [new Error('/secret/path'), new StorageError('INTERNAL', '/secret/path'), 'secret']) {
      const refusal = toRefusal(error);
      assert.equal(refusal.code, status.INTERNAL);
      assert.doesNotMatch(refusal.details, /secret/);
    }
  });

  it('bounds the text and takes control characters out of it', () => {
    const refusal = toRefusal(new StorageError('CORRUPT', `\u001b[31mred\r\n${'x'.repeat(2000)}`));
    assert.equal(refusal.details.length, MAX_ERROR_CHARS);
    assert.match(refusal.details, /^\[31mred x/);
  });

  it('survives half a surrogate pair, at the cut or in the text', () => {
    const text = `${'x'.repeat(MAX_ERROR_CHARS - 2)}😀😀`;
    assert.doesNotThrow(() => encodeURI(toRefusal(new StorageError('CORRUPT', text)).details));
    assert.doesNotThrow(() => encodeURI(toRefusal(new StorageError('CORRUPT', 'a\ud83d b')).details));
  });
});

describe('fromServiceError', () => {
  it('leaves out what gRPC notes about looking up addresses', () => {
    const details = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ';
    const refusal = Object.assign(new Error(details), { code: status.UNAVAILABLE, details, metadata: new Metadata() });
    assert.equal(
      fromServiceError(refusal, 'Peer X').message,
      'Peer X: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1.',
    );
  });

  it('gives a sensible code to what gRPC itself or a proxy says', () => {
    const expected = {
      [status.CANCELLED]: 'CANCELLED',
      [status.DEADLINE_EXCEEDED]: 'TIMEOUT',
      [status.UNAVAILABLE]: 'UNAVAILABLE',
      [status.INTERNAL]: 'UNAVAILABLE',
      [status.UNKNOWN]: 'UNAVAILABLE',
      [status.RESOURCE_EXHAUSTED]: 'LIMIT_EXCEEDED',
      [status.UNIMPLEMENTED]: 'UNSUPPORTED',
      [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
      [status.DATA_LOSS]: 'CORRUPT',
    };
    for (const [code, wanted] of Object.entries(expected)) {
      assert.equal(fromServiceError(foreign(Number(code)), 'Peer X').code, wanted);
    }
    assert.equal(fromServiceError(foreign(99), 'Peer X').code, 'UNAVAILABLE');
  });

  it('does not believe a code that does not exist', () => {
    const error = foreign(status.NOT_FOUND);
    error.metadata.set(ERROR_CODE_TRAILER, 'EVIL');
    assert.equal(fromServiceError(error, 'Peer X').code, 'NOT_FOUND');
  });
});
