import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MachineReply, SafetyReply } from '../gateways/http/safety-api.js';
import { sampleSafety } from '../gateways/http/sample-safety.js';
import { safetyLines, worstLines } from './safety-lines.js';

const NOW = Date.parse('2026-11-01T12:00:00.000Z');
const NONE = { files: 0, bytes: 0 };
const attic: MachineReply = { id: 'a', name: 'attic', zone: 'north', standing: 'up', mayFail: true, denied: 0 };

describe('what the status says of files', () => {
  it('is short where all is well', () => {
    assert.deepEqual(safetyLines(sampleSafety(), NOW), [
      'Files    1 file healthy (1.0 kB)',
      'Known    what the machines hold was compared with the records 2 h 00 min ago',
    ]);
    assert.deepEqual(safetyLines(sampleSafety({ stripes: 0 }), NOW), [], 'nothing is stored');
  });

  it('names machines and zones that may not fail, what is gone, distrusted, lost and queued', () => {
    const trouble: Partial<SafetyReply> = {
      files: {
        healthy: { files: 1_200, bytes: 9e9 },
        ...{ degraded: NONE, atRisk: { files: 2, bytes: 4e6 }, lost: { files: 1, bytes: 5e5 } },
        waiting: { files: 3, bytes: 1 },
      },
      machines: [
        { ...attic, mayFail: false },
        { ...attic, name: 'cellar', standing: 'gone', mayFail: null },
        { ...attic, name: 'garage', standing: 'distrusted', mayFail: null, denied: 12 },
      ],
      zones: [
        { zone: 'north', machines: 2, up: 2, mayFail: false },
        { zone: 'south', machines: 2, up: 2, mayFail: true },
      ],
      repairs: { stripes: 12, chunks: 31, bytes: 2e9, secondsLeft: 125 },
      compared: null,
    };
    const safety = sampleSafety(trouble);
    assert.deepEqual(safetyLines(safety, NOW), [
      'Files    1,200 files healthy (9.0 GB), 2 files at risk (4.0 MB), 1 file lost (500.0 kB); 3 files wait for repair',
      'Machines attic may not fail now',
      'Gone     cellar: what lay there is rebuilt elsewhere; shoal peer remove, or start it again',
      'Distrust garage: failed audits, see shoal audit',
      'Missing  garage has lost 12 chunks, by its own word',
      'Zones    north may not fail whole',
      'Repair   31 chunks of 12 stripes to be rebuilt or moved, which moves 2.0 GB, about 2 min 05 s',
      'Known    by the records alone: what the machines hold was not compared yet; shoal status --check',
    ]);
  });

  it('names the worst files, and says when there are more', () => {
    const files = { ...sampleSafety().files, lost: { files: 1, bytes: 1 }, atRisk: { files: 3, bytes: 1 } };
    const worst = [
      { path: '/a\u001b[31m', bytes: 5e5, state: 'lost' },
      { path: '/b', bytes: 10, state: 'atRisk' },
    ] as const;
    const lines = worstLines({ worst, files }, false);
    assert.equal(lines.length, 3);
    assert.ok(!(lines[0] ?? '').includes('\u001b'), 'what controls a terminal is not printed');
    assert.equal(lines[1], 'At risk  /b  (10 B)');
    assert.equal(lines[2], '         and 2 files more: shoal status --files');
    assert.equal(worstLines({ worst, files }, true)[2], '         and 2 files more');
    assert.deepEqual(worstLines(sampleSafety(), false), []);
  });
});
