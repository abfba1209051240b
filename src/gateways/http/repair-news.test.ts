import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RepairNews, type RepairState } from './repair-news.js';

const COUNTS = { passed: 0, missing: 0, corrupt: 0, unreachable: 0, stalled: 0 };

function state(chunks: number, trusted: boolean): RepairState {
  const peer = {
    id: 'aa',
    name: 'attic',
    counts: COUNTS,
    trusted,
    streak: 0,
    answered: null,
    silentMs: 0,
    gone: false,
  };
  const totals = { chunks, failedChunks: 0, rebuiltChunks: 0, movedBytes: 0, rebalancedChunks: 0, droppedChunks: 0 };
  return {
    audits: { perHour: 60, faults: 0, suspects: 0, peers: [peer], trustedAfter: 8, newest: [] },
    repairs: {
      ...{ bytesPerSecond: 1, survey: null, queued: { stripes: 0, chunks: 0, bytes: 0 }, secondsLeft: 0, running: 0 },
      ...{ reason: null, totals, rebalance: { stripes: 0, bytes: 0, secondsLeft: 0 } },
    },
  };
}

it('writes down what was repaired and who is distrusted, once, and nothing that it sees first', () => {
  const lines: string[] = [];
  const news = new RepairNews({ add: (kind, text) => lines.push(`${kind}: ${text}`) });
  news.take(state(5, true));
  assert.deepEqual(lines, []);
  news.take(state(7, false));
  news.take(state(7, false));
  assert.deepEqual(lines.splice(0), [
    'repaired: 2 chunks repaired: rebuilt on other peers, or copied there.',
    'peer-distrusted: attic failed audits: it gets nothing new, and its chunks are rebuilt.',
  ]);
  // The process began anew.
  news.take(state(1, true));
  assert.deepEqual(lines, [
    'repaired: 1 chunk repaired: rebuilt on other peers, or copied there.',
    'peer-trusted: attic stands audits again.',
  ]);
});
