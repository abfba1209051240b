import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { MachineReply } from './safety-api.js';
import { SafetyNews } from './safety-news.js';
import { sampleSafety } from './sample-safety.js';

const attic: MachineReply = { id: 'a', name: 'attic', zone: '', standing: 'up', mayFail: true, denied: 0 };
const demo = { id: 'd', name: 'demo', unlocked: true, generation: 1, kit: false };

it('writes down each change of state once, through whom it came, and nothing that it sees first', () => {
  const lines: string[] = [];
  const news = new SafetyNews({ add: (kind, text) => lines.push(`${kind}: ${text}`) });
  const none = { files: 0, bytes: 0 };
  const told = (machine: MachineReply, files: Readonly<Record<string, number>>, user = demo): string[] => {
    const counts = Object.fromEntries(
      Object.entries(files).map(([state, amount]) => [state, { files: amount, bytes: 1 }]),
    );
    const states = { healthy: none, degraded: none, atRisk: none, lost: none, waiting: none, ...counts };
    news.take({ users: [user], safety: sampleSafety({ files: states, machines: [machine] }) });
    return lines.splice(0);
  };
  const down = { ...attic, standing: 'down' } as const;
  assert.deepEqual(told(down, { atRisk: 5 }), []);
  assert.deepEqual(told(attic, { healthy: 5 }), ['files-safe: All 5 files are healthy again.']);
  assert.deepEqual(told(attic, { healthy: 5 }), []);
  const atRisk = 'files-at-risk: 2 files are at risk since attic went down: there is a machine that may not fail now.';
  assert.deepEqual(told(down, { healthy: 3, atRisk: 2 }), [atRisk]);
  assert.deepEqual(told(down, { healthy: 3, atRisk: 4 }), [], 'more were stored meanwhile');
  assert.deepEqual(told({ ...down, denied: 7 }, { atRisk: 6, lost: 1 }), [
    'files-lost: 1 file cannot be read now since attic lost chunks.',
  ]);
  assert.deepEqual(told({ ...attic, standing: 'distrusted' }, { degraded: 1 }), [
    'files-degraded: 1 file lacks a chunk since attic failed audits; any one machine may fail.',
  ]);
  news.take({ users: [], safety: null });
  assert.deepEqual(told(attic, { healthy: 1 }), ['files-safe: Your file is healthy again.']);
  assert.deepEqual(told(down, { atRisk: 1 }).length, 1);
  assert.deepEqual(told(down, {}), [], 'the last one was removed');
  assert.deepEqual(told(down, { lost: 1 }, { ...demo, name: 'ada' }), [], "another user's files");
});
