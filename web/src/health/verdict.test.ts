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

const safe = (mayFail: number | null, degraded = 0): StatusReply['safety'] => ({
  stripes: 9,
  degraded,
  mayFail,
  lost: 0,
});

describe('verdictOf', () => {
  it('says that all is well, and how much may fail', () => {
    const { tone, title, detail } = verdictOf(status(6, 0, safe(2)), 1204);
    assert.equal(title, 'All 1,204 files are safe; any 2 of 6 machines may fail');
    assert.deepEqual([tone, detail], ['good', 'All 6 machines are up.']);
  });

  it('counts what is left when some are down', () => {
    const { tone, title, detail } = verdictOf(status(5, 1, safe(1, 9)), 1);
    assert.equal(title, 'Your file is safe; any 1 more may fail');
    assert.equal(tone, 'warn');
    assert.match(detail, /^1 of 6 machines is down\. 9 stripes lack a chunk/);
  });

  it('warns before the edge, and does not call lost what comes back with a machine', () => {
    assert.equal(verdictOf(status(4, 2, safe(0, 9)), null).tone, 'warn');
    assert.match(verdictOf(status(4, 2, safe(0, 9)), null).title, /not one more/);
    const lost = verdictOf(status(3, 3, safe(-1, 9)), 10);
    assert.equal(lost.tone, 'bad');
    assert.match(lost.detail, /bring one back/);
  });

  it('tells an empty store from one of which nothing is known', () => {
    assert.equal(verdictOf(status(6, 0, safe(null)), 0).tone, 'good');
    assert.equal(verdictOf(status(6, 0, null), null).tone, 'plain');
    assert.equal(verdictOf(status(2, 0, null), null).tone, 'warn');
  });
});
