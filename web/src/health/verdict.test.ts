import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusReply } from '../api/types.js';
import { verdictOf } from './verdict.js';

type Peers = StatusReply['peers'];

function status(up: number, down: number, safety: StatusReply['safety']): Parameters<typeof verdictOf>[0] {
  const peers = [...Array(up + down).keys()].map((n) => ({
    ...{
      id: String(n),
      name: `peer-${String(n)}`,
      address: '',
      zone: '',
      state: 'member',
      capacityBytes: 1,
      latencyMs: 1,
    },
    up: n < up,
  })) as unknown as Peers;
  const k = up + down < 3 ? 0 : 4;
  return { peers, safety, network: { id: '', name: '', k, m: 2 } };
}

type Counts = Readonly<Partial<Record<'healthy' | 'degraded' | 'atRisk' | 'lost' | 'waiting', number>>>;

function safe(mayFail: number | null, degraded = 0, counts: Counts = {}): StatusReply['safety'] {
  const of = (state: keyof Counts): { files: number; bytes: number } => ({ files: counts[state] ?? 0, bytes: 0 });
  const files = {
    ...{ healthy: of('healthy'), degraded: of('degraded'), atRisk: of('atRisk') },
    ...{ lost: of('lost'), waiting: of('waiting') },
  };
  return {
    ...{ stripes: 9, degraded, mayFail, lost: 0, zonesMayFail: null, files, worst: [], machines: [], zones: [] },
    repairs: { stripes: 0, chunks: 0, bytes: 0, secondsLeft: null },
    ...{ compared: null, at: '' },
  };
}

describe('verdictOf', () => {
  it('says that all is well, and how much may fail', () => {
    const { tone, title, detail } = verdictOf(status(6, 0, safe(2, 0, { healthy: 1204 })));
    assert.equal(title, 'All 1,204 files are safe; any 2 of 6 machines may fail');
    assert.deepEqual([tone, detail], ['good', 'All 6 machines are up.']);
  });

  it('counts what is left when some are down', () => {
    const { tone, title, detail } = verdictOf(status(5, 1, safe(1, 9, { degraded: 1 })));
    assert.equal(title, 'Your file is safe; any 1 more may fail');
    assert.equal(tone, 'warn');
    assert.match(detail, /^1 of 6 machines is down\. 9 stripes lack a chunk/);
  });

  it('warns before the edge, and does not call lost what comes back with a machine', () => {
    assert.equal(verdictOf(status(4, 2, safe(0, 9, { atRisk: 9 }))).tone, 'warn');
    assert.match(
      verdictOf(status(4, 2, safe(0, 9, { atRisk: 9 }))).title,
      /^All 9 files can be read, but not one more/,
    );
    const some = verdictOf(status(4, 2, safe(0, 9, { atRisk: 1, degraded: 8 })));
    assert.equal(some.title, '1 file of 9 files is at risk: not one more machine may fail');
    const lost = verdictOf(status(3, 3, safe(-1, 9, { lost: 2, atRisk: 8 })));
    assert.equal(lost.title, '2 files of 10 cannot be read now');
    assert.equal(lost.tone, 'bad');
    assert.match(lost.detail, /bring one back/);
  });

  it('tells an empty store from one of which nothing is known', () => {
    assert.equal(verdictOf(status(6, 0, safe(null))).tone, 'good');
    assert.equal(verdictOf(status(6, 0, null)).tone, 'plain');
    assert.equal(verdictOf(status(2, 0, null)).tone, 'warn');
  });
});
