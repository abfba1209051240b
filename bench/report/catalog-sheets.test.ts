import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { CatalogResult, Rate } from '../catalog/result.js';
import { catalogSheets } from './catalog-sheets.js';

const RATE: Rate = { count: 1_000, seconds: 0.5, cpuSeconds: 0.25 };
const RESULT: CatalogResult = {
  entries: 1_000,
  stripePeers: 6,
  weights: {
    smallFile: { documents: 1, bytes: 700 },
    packedFile: { documents: 0.006, bytes: 300.4 },
    largeFile: { documents: 2, bytes: 9_000 },
    largeFileStripes: { documents: 64, bytes: 64_000, stripes: 64 },
  },
  single: RATE,
  together: RATE,
  batched: RATE,
  list: RATE,
  unlock: RATE,
  unlockAgain: RATE,
  memory: { beforeBytes: 2 ** 20, unlockedBytes: 2 ** 21, peakBytes: 2 ** 22 },
  push: RATE,
  pull: RATE,
  change: { removed: 100, beforeMs: 10.4, afterMs: 11.6 },
  removal: RATE,
};

it('the tables of the catalog say what each thing costs', () => {
  const [speed, weight] = catalogSheets(RESULT);
  assert.ok(speed !== undefined && weight !== undefined);
  assert.deepEqual(speed.rows[0], ['files committed one after the other', '1,000', '0.50', '0.25', '2,000/s']);
  assert.ok(speed.rows.some((row) => row.at(0)?.includes('100 files') === true && row.at(-1) === '12 ms'));
  assert.ok(speed.rows.every((row) => row.length === speed.heading.length));
  assert.deepEqual(weight.rows.slice(1), [
    ['a small file of a thousand put together', '0.006', '300'],
    ['a file of 1 GiB (64 stripes)', '2', '9,000'],
    ['a stripe on 6 peers', '1', '1,000'],
  ]);
});
