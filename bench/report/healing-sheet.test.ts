import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Use } from '../measure/use.js';
import { healingSheet } from './healing-sheet.js';

const USE: Use = { seconds: 2, clientCpuSeconds: 0.5, serverCpuSeconds: 1, clientPeakBytes: 0, loopbackBytes: 0 };
const LOST = 2 ** 27;

it('the table of healing says what each thing costs and moves', () => {
  const repair = { ...USE, count: 32, bytes: LOST, movedBytes: 4 * LOST, left: 0 };
  const scrub = {
    scrub: { ...USE, chunks: 64, bytes: 2 * LOST },
    disk: { bytes: 2 * LOST, seconds: 1, cpuSeconds: 0.1 },
    segments: { count: 8, bytes: 2 ** 20, movedBytes: 2 ** 22 },
    chunks: { count: 8, bytes: 2 ** 25, movedBytes: 2 ** 27 },
  };
  const { heading, rows } = healingSheet(repair, scrub);
  assert.ok(rows.every((row) => row.length === heading.length));
  assert.deepEqual(rows, [
    ['repair of chunks without a holder', '32 chunks, 134.2 MB', '67', '12.00', '16.0 MiB'],
    ['scrub of a peer, nothing wrong', '64 chunks, 268.4 MB', '134', '6.00', '–'],
    ['reading the same files', '268.4 MB', '268', '0.40', '–'],
    ['rotten segments, by a scrub', '8 segments', '–', '–', '512 KiB'],
    ['chunks that were gone, by a scrub', '8 chunks', '–', '–', '16.0 MiB'],
  ]);
  assert.equal(healingSheet(undefined, scrub).rows.length, 4);
});
