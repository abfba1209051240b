import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { isErrorCode, StorageError } from '../../src/errors.js';
import { StoreChunkRequest } from '../../src/gen/shoal/v1/receiver.js';
import { MAX_ERROR_CHARS } from '../../src/limits.js';
import {
  decodeSendChunkResponse,
  decodeStoreChunkRequest,
  decodeStoreChunkResponse,
  encodeSegment,
} from '../../src/wire/codec.js';
import { ERROR_CODE_TRAILER, fromServiceError, toRefusal, type Refusal } from '../../src/wire/status.js';

const RUNS = { numRuns: 3000 };
const bytes = fc.uint8Array({ maxLength: 300 });

describe('bytes from the network', () => {
  it('never make a decoder of a stream throw', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        for (const decode of [decodeStoreChunkRequest, decodeStoreChunkResponse, decodeSendChunkResponse]) {
          assert.ok('message' in decode(input));
        }
      }),
      RUNS,
    );
  });

  it('that were a segment, altered, decode to nothing or to a view of themselves', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(255), fc.nat(), (content, at, xor, cut) => {
        const message = encodeSegment({ index: content.length % 32, bytes: content });
        message[at % message.length] = (message[at % message.length] ?? 0) ^ xor;
        const input = message.subarray(0, cut % (message.length + 1));
        const decoded = decodeStoreChunkRequest(input).message;
        if (decoded?.$case === 'segment' && decoded.value.bytes.length > 0) {
          assert.equal(decoded.value.bytes.buffer, input.buffer);
          assert.ok(decoded.value.bytes.length <= input.length);
        }
      }),
      RUNS,
    );
  });

  it('with deeply nested groups end in an answer, not in a crash', () => {
    assert.equal(decodeStoreChunkRequest(Buffer.alloc(190_000, 0x7b)).message, undefined);
  });

  it('decode as the generated code decodes them, whenever it does', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        let expected: StoreChunkRequest | undefined;
        try {
          expected = StoreChunkRequest.decode(input);
        } catch {
          expected = undefined;
        }
        assert.deepEqual(decodeStoreChunkRequest(input), expected ?? { message: undefined });
      }),
      RUNS,
    );
  });
});

describe('errors from the network', () => {
  it('become a StorageError of a known code with a bounded, printable line, whatever the peer says', () => {
    const trailer = fc.oneof(
      fc.constantFrom('CORRUPT', 'LOCKED', 'toString', '__proto__'),
      fc.stringMatching(/^[!-~]*$/),
    );
    fc.assert(
      fc.property(fc.integer(), fc.string({ maxLength: 2000, unit: 'binary' }), trailer, (code, details, named) => {
        const metadata = new Metadata();
        metadata.set(ERROR_CODE_TRAILER, named);
        const foreign: Refusal = Object.assign(new Error(details), { code, details, metadata });
        const error = fromServiceError(foreign, 'Peer X');
        assert.ok(error instanceof StorageError && isErrorCode(error.code));
        assert.ok(error.message.length <= MAX_ERROR_CHARS + 'Peer X: '.length);
        assert.doesNotMatch(error.message, /\p{Cc}/u);
      }),
      RUNS,
    );
  });

  it('survive the way there and back', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (message) => {
        const refusal = toRefusal(new StorageError('NO_SPACE', message));
        const back = fromServiceError(refusal, 'Peer X');
        assert.equal(back.code, 'NO_SPACE');
        assert.equal(encodeURI(refusal.details).length > 0, refusal.details.length > 0);
      }),
      RUNS,
    );
  });
});
