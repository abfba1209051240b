import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Floor } from '../floor/floor.js';
import type { WorkResult } from '../phases/work.js';
import { figuresOf } from './figures.js';

const RESULT: WorkResult = {
  system: 'shoal',
  work: 'put',
  files: 1,
  bytes: 2 ** 29,
  seconds: 2,
  clientCpuSeconds: 1,
  serverCpuSeconds: 3,
  clientPeakBytes: 0,
  loopbackBytes: 0,
};
const FLOOR = { sums: { put: 4, get: 2, degraded: 3 } } as Floor;

describe('figures', () => {
  it('are per second of wall time and per GiB of the file', () => {
    const figures = figuresOf(RESULT, FLOOR);
    assert.equal(figures.megabytesPerSecond, 2 ** 29 / 2e6);
    assert.equal(figures.filesPerSecond, 0.5);
    assert.equal(figures.cpuSeconds, 4);
    assert.equal(figures.cpuSecondsPerGib, 8);
    assert.equal(figures.timesFloor, 2);
  });

  it('compare with the floor only what the floor is of', () => {
    assert.equal(figuresOf(RESULT, undefined).timesFloor, undefined);
    assert.equal(figuresOf({ ...RESULT, system: 'scp' }, FLOOR).timesFloor, undefined);
    assert.equal(figuresOf({ ...RESULT, work: 'put-small' }, FLOOR).timesFloor, undefined);
  });
});
