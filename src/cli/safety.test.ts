import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleSafety } from '../gateways/http/sample-safety.js';
import { mayFail, safetySentence, statusSentence } from './safety.js';

function stripe(...peers: (string | null)[]): {
  id: string;
  chunks: { index: number; id: string; peer: string | null; bytes: number }[];
} {
  return { id: 's', chunks: peers.map((peer, index) => ({ index, id: 'c', peer, bytes: 1 })) };
}

const all = new Set(['a', 'b', 'c', 'd', 'e', 'f']);

describe('mayFail', () => {
  it('is m when every chunk lies on a peer of its own', () => {
    assert.equal(mayFail({ k: 4, stripes: [stripe('a', 'b', 'c', 'd', 'e', 'f')] }, all), 2);
  });

  it('counts peers that are down and chunks that wait as lost', () => {
    assert.equal(mayFail({ k: 4, stripes: [stripe('a', 'b', 'c', 'd', 'e', null)] }, all), 1);
    assert.equal(mayFail({ k: 4, stripes: [stripe('a', 'b', 'c', 'd', 'e', 'x')] }, all), 1);
  });

  it('lets the peer with the most chunks fail first', () => {
    assert.equal(mayFail({ k: 4, stripes: [stripe('a', 'a', 'b', 'c', 'd', 'e')] }, all), 1);
    assert.equal(mayFail({ k: 2, stripes: [stripe('a', 'a', 'b')] }, all), 0);
  });

  it('is that of the worst stripe', () => {
    const stripes = [stripe('a', 'b', 'c', 'd', 'e', 'f'), stripe('a', 'b', 'c', 'd', null, null)];
    assert.equal(mayFail({ k: 4, stripes }, all), 0);
  });

  it('is below 0 when something is lost, and nothing for an empty file', () => {
    assert.equal(mayFail({ k: 4, stripes: [stripe('a', 'b', 'c', null, null, null)] }, all), -1);
    assert.equal(mayFail({ k: 4, stripes: [] }, all), undefined);
  });
});

it('says it in a sentence', () => {
  assert.equal(safetySentence(2, { all: 6, down: 0 }), 'Any 2 of your 6 machines may fail, and no file is lost.');
  assert.equal(
    safetySentence(1, { all: 6, down: 1 }),
    '1 of your 6 machines is down. Any 1 more may fail, and no file is lost.',
  );
  assert.equal(safetySentence(0, { all: 6, down: 2 }), '2 of your 6 machines are down. Not one more may fail.');
  assert.equal(safetySentence(0, { all: 2, down: 0 }), 'Not one of your 2 machines may fail.');
  assert.match(safetySentence(-1, { all: 6, down: 3 }), /bring one back/);
  assert.equal(safetySentence(undefined, { all: 6, down: 0 }), 'Nothing is stored yet.');
});

it('does not count removed peers as machines', () => {
  const peer = { id: 'a', name: 'a', address: '', zone: '', up: true, capacityBytes: 1, latencyMs: 1 };
  const peers = [
    { ...peer, state: 'member' as const },
    { ...peer, state: 'removed' as const, up: false },
  ];
  assert.equal(
    statusSentence({ peers, users: [], safety: sampleSafety({ stripes: 2, degraded: 2, mayFail: 0, lost: 0 }) }),
    'Not one of your 1 machines may fail. 2 stripes lack a chunk.',
  );
  assert.match(statusSentence({ peers, users: [], safety: null }), /shoal unlock/);
  const user = { id: 'u', name: 'ann', unlocked: true, generation: 1, kit: false };
  assert.equal(statusSentence({ peers, users: [user], safety: null }), 'What may fail is not known now.');
  assert.match(
    statusSentence({ peers, users: [], safety: sampleSafety({ stripes: 2, degraded: 1, mayFail: -1, lost: 1 }) }),
    /The record of 1 stripe is lost: shoal recover\./,
  );
});
