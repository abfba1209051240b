import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StoreChunkRequest, StoreChunkResponse } from '../gen/shoal/v1/receiver.js';
import { SendChunkResponse } from '../gen/shoal/v1/sender.js';
import { MAX_SEGMENTS, SEGMENT_BYTES } from '../limits.js';
import {
  decodeSendChunkResponse,
  decodeStoreChunkRequest,
  decodeStoreChunkResponse,
  encodeClose,
  encodeHave,
  encodeSegment,
  SEGMENT_ENVELOPE_BYTES,
} from './codec.js';

/** Every length at which a varint grows, and random ones between. */
const bytesOf = fc
  .oneof(
    fc.constantFrom(0, 1, 121, 122, 127, 128, 16_375, 16_383, 16_384, SEGMENT_BYTES, SEGMENT_BYTES + 1),
    fc.nat(40_000),
  )
  .map((length) => new Uint8Array(randomBytes(length)));
const indexOf = fc.oneof(fc.nat(MAX_SEGMENTS - 1), fc.constantFrom(127, 128, 16_384, 0x7fffffff, 0xffffffff));
const segmentOf = fc.record({ index: indexOf, bytes: bytesOf });

describe('encodeSegment', () => {
  it('yields the bytes of the generated encoders of both directions', () => {
    fc.assert(
      fc.property(segmentOf, (value) => {
        const encoded = encodeSegment(value);
        assert.ok(encoded.equals(StoreChunkRequest.encode({ message: { $case: 'segment', value } }).finish()));
        assert.ok(encoded.equals(SendChunkResponse.encode({ message: { $case: 'segment', value } }).finish()));
      }),
      { numRuns: 200 },
    );
  });

  it('encodes into the memory it is given when the message fits, and elsewhere when not', () => {
    const memory = Buffer.alloc(SEGMENT_BYTES + SEGMENT_ENVELOPE_BYTES);
    const value = { index: MAX_SEGMENTS - 1, bytes: new Uint8Array(randomBytes(SEGMENT_BYTES)) };
    const fits = encodeSegment(value, memory);
    assert.equal(fits.buffer, memory.buffer);
    assert.ok(fits.equals(encodeSegment(value)));
    const large = { index: 1, bytes: new Uint8Array(SEGMENT_BYTES + SEGMENT_ENVELOPE_BYTES) };
    assert.notEqual(encodeSegment(large, memory).buffer, memory.buffer);
  });

  it('copies the bytes, which belong to their source again', () => {
    const bytes = new Uint8Array(200).fill(1);
    const encoded = encodeSegment({ index: 3, bytes });
    bytes.fill(2);
    assert.deepEqual(decodeStoreChunkRequest(encoded).message, {
      $case: 'segment',
      value: { index: 3, bytes: Buffer.alloc(200, 1) },
    });
  });
});

describe('decoders', () => {
  it('return a view of the message, not a copy', () => {
    const encoded = encodeSegment({ index: 7, bytes: new Uint8Array(SEGMENT_BYTES) });
    for (const decoded of [decodeStoreChunkRequest(encoded), decodeSendChunkResponse(encoded)]) {
      assert.equal(decoded.message?.$case, 'segment');
      assert.equal(decoded.message.value.bytes.buffer, encoded.buffer);
    }
  });

  it('skip fields that they do not know, around and inside a segment', () => {
    // Fields 15 (varint) and 14 (length-delimited) are of no version yet.
    const unknown = Buffer.from([0x78, 0x05, 0x72, 0x02, 0xaa, 0xbb]);
    const inner = Buffer.concat([unknown, Buffer.from([0x08, 0x04, 0x12, 0x01, 0x63])]);
    const message = Buffer.concat([unknown, Buffer.from([0x12, inner.length]), inner, unknown]);
    assert.deepEqual(decodeStoreChunkRequest(message).message, {
      $case: 'segment',
      value: { index: 4, bytes: Buffer.from('c') },
    });
  });

  it('understand what the generated encoders write, and answer undefined to what is cut off', () => {
    assert.deepEqual(decodeStoreChunkRequest(encodeClose()).message, { $case: 'close', value: {} });
    const have = { $case: 'have', value: { bitmap: 0xfffffffe, stored: false } } as const;
    assert.deepEqual(decodeStoreChunkResponse(encodeHave(0xfffffffe, false)).message, have);
    assert.deepEqual(StoreChunkResponse.decode(encodeHave(0xfffffffe, false)).message, have);
    const segment = encodeSegment({ index: 9, bytes: new Uint8Array(100) });
    for (const end of [1, 2, 3, 5, segment.length - 1]) {
      const message = decodeStoreChunkRequest(segment.subarray(0, end)).message;
      assert.equal(message, undefined, `${String(end)} bytes`);
    }
  });
});
