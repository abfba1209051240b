import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../errors.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../limits.js';
import { segmentsOf } from './chunk-store.js';
import { chunkId, parseChunkId } from './ids.js';
import { describeChunk, segmentCount, segmentIsIntact, segmentRange, verifyShape } from './segments.js';

/** Distinct bytes, so that no two segments are alike. */
function sample(bytes: number): Uint8Array {
  const chunk = new Uint8Array(bytes);
  const view = new DataView(chunk.buffer);
  for (let at = 0; at + 4 <= bytes; at += 4) view.setUint32(at, at);
  return chunk;
}

const chunk = sample(2 * SEGMENT_BYTES + 1000);
const { id, ...shape } = describeChunk(chunk);

function segment(index: number): { index: number; bytes: Uint8Array } {
  return { index, bytes: chunk.slice(...segmentRange(chunk.length, index)) };
}

describe('segment arithmetic', () => {
  test('the segments of a chunk cover it once, in order, and only the last may be short', () => {
    const sizes = fc.record({
      chunkBytes: fc.integer({ min: 1, max: 10_000 }),
      segmentBytes: fc.integer({ min: 1, max: 3_000 }),
    });
    fc.assert(
      fc.property(sizes, ({ chunkBytes, segmentBytes }) => {
        let covered = 0;
        const count = segmentCount(chunkBytes, segmentBytes);
        for (let index = 0; index < count; index++) {
          const [start, end] = segmentRange(chunkBytes, index, segmentBytes);
          assert.equal(start, covered);
          assert.ok(end - start === segmentBytes || (index === count - 1 && end > start));
          covered = end;
        }
        assert.equal(covered, chunkBytes);
      }),
    );
  });

  test('a segment outside the chunk is a bug', () => {
    assert.throws(() => segmentRange(SEGMENT_BYTES, 1), /bug/);
    assert.throws(() => segmentRange(SEGMENT_BYTES, -1), /bug/);
  });
});

describe('describeChunk and segmentIsIntact', () => {
  test('accept every segment of the chunk in its place', () => {
    for (let index = 0; index < 3; index++) assert.ok(segmentIsIntact(shape, segment(index)));
  });

  test('refuse a flipped bit, another length, another place', () => {
    const flipped = segment(1);
    flipped.bytes[77] = (flipped.bytes[77] ?? 0) ^ 1;
    assert.ok(!segmentIsIntact(shape, flipped));
    assert.ok(!segmentIsIntact(shape, { index: 1, bytes: segment(1).bytes.subarray(1) }));
    assert.ok(!segmentIsIntact(shape, { index: 0, bytes: segment(1).bytes }));
    for (const index of [-1, 3, 0.5]) {
      assert.ok(!segmentIsIntact(shape, { index, bytes: segment(1).bytes }), String(index));
    }
  });

  test('any changed byte of a chunk changes its id', () => {
    const small = sample(300);
    const whole = describeChunk(small, 100).id;
    fc.assert(
      fc.property(fc.nat({ max: 299 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        assert.notEqual(describeChunk(small.with(at, (small[at] ?? 0) ^ mask), 100).id, whole);
      }),
    );
  });
});

describe('verifyShape', () => {
  const refuses = (code: 'CORRUPT' | 'UNSUPPORTED', changed: Partial<typeof shape>, claimed = id): void => {
    assert.throws(
      () => verifyShape(claimed, { ...shape, ...changed }),
      (error) => StorageError.is(error, code),
    );
  };

  test('accepts the shape that an id commits to', () => {
    verifyShape(id, shape);
    const largest = describeChunk(new Uint8Array(MAX_CHUNK_BYTES));
    verifyShape(largest.id, largest);
  });

  test('refuses another id, length or hash list as CORRUPT', () => {
    refuses('CORRUPT', {}, parseChunkId('00'.repeat(32)));
    refuses('CORRUPT', { bytes: shape.bytes + 1 });
    refuses('CORRUPT', { hashes: shape.hashes.subarray(32) });
    refuses('CORRUPT', { hashes: shape.hashes.with(0, (shape.hashes[0] ?? 0) ^ 1) });
  });

  test('refuses impossible lengths even where the id follows from them', () => {
    const none = new Uint8Array();
    refuses('CORRUPT', { bytes: 0, hashes: none }, chunkId(SEGMENT_BYTES, 0, none));
    const bytes = MAX_CHUNK_BYTES + 1;
    const hashes = new Uint8Array(segmentCount(bytes) * 32);
    refuses('CORRUPT', { bytes, hashes }, chunkId(SEGMENT_BYTES, bytes, hashes));
    for (const odd of [-1, 1.5, Number.NaN, 2 ** 60]) refuses('CORRUPT', { bytes: odd });
  });

  test('refuses the segment size of another format as UNSUPPORTED', () => {
    refuses('UNSUPPORTED', { segmentBytes: SEGMENT_BYTES / 2 });
  });
});

test('segmentsOf yields exactly what is asked for', async () => {
  const got: { index: number; bytes: Uint8Array }[] = [];
  for await (const next of segmentsOf(chunk, SEGMENT_BYTES)([0, 2])) got.push(next);
  assert.deepEqual(
    got.map(({ index, bytes }) => [index, Buffer.from(bytes).equals(segment(index).bytes)]),
    [
      [0, true],
      [2, true],
    ],
  );
});
