import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DISK_IO_BYTES, SEGMENT_BYTES } from '../limits.js';
import { segmentRuns } from './segment-runs.js';

const shape = { bytes: 30 * SEGMENT_BYTES - 1, segmentBytes: SEGMENT_BYTES, hashes: new Uint8Array(30 * 32) };

describe('segmentRuns', () => {
  it('joins adjacent segments up to one read', () => {
    const all = segmentRuns(
      shape,
      Array.from({ length: 30 }, (_, index) => index),
    );
    const perRun = DISK_IO_BYTES / SEGMENT_BYTES;
    assert.equal(all.length, Math.ceil(30 / perRun));
    assert.ok(all.every(({ start, end }) => end - start <= DISK_IO_BYTES));
    assert.deepEqual(all[0], { first: 0, last: perRun - 1, start: 0, end: DISK_IO_BYTES });
    assert.equal(all.at(-1)?.end, shape.bytes);
  });

  it('leaves out what was not asked for', () => {
    const runs = segmentRuns(shape, [1, 2, 5, 29]);
    assert.deepEqual(
      runs.map(({ first, last }) => [first, last]),
      [
        [1, 2],
        [5, 5],
        [29, 29],
      ],
    );
    assert.deepEqual(segmentRuns(shape, []), []);
  });
});
