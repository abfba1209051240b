import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PeerReply, StatusReply } from '../api/types.js';
import { lookOf, membersOf, syncByHost } from './peers.js';

function peer(name: string, changes: Partial<PeerReply> = {}): PeerReply {
  return {
    ...{ id: `id-${name}`, name, address: 'a:1', zone: '', capacityBytes: 1, state: 'member', backup: false },
    ...{ authority: false, up: true, latencyMs: 1, until: '2027-01-01T00:00:00Z' },
    ...changes,
  };
}

type Stream = StatusReply['sync']['streams'][number];

function stream(host: string, changes: Partial<Stream> = {}): Stream {
  return {
    ...{ host, hostName: host, database: 'network', direction: 'push', phase: 'waiting', sequence: '1', pending: 0 },
    ...{ written: 0, refused: 0, error: null, lastSuccessMs: null },
    ...changes,
  };
}

describe('membersOf', () => {
  it('goes by the newest status, leaves out who was removed, and counts as people do', () => {
    const peers = [peer('peer-10'), peer('peer-2'), peer('gone', { state: 'removed' })];
    const live = { ...peer('peer-2'), up: false, latencyMs: null };
    assert.deepEqual(
      membersOf(peers, { peers: [live] }).map(({ name, up }) => [name, up]),
      [
        ['peer-2', false],
        ['peer-10', true],
      ],
    );
  });
});

describe('lookOf', () => {
  it('says down before draining, and up where nobody has asked yet', () => {
    assert.equal(lookOf({ up: false, state: 'draining' }), 'down');
    assert.equal(lookOf({ up: true, state: 'draining' }), 'draining');
    assert.equal(lookOf({ up: null, state: 'member' }), 'up');
  });
});

describe('syncByHost', () => {
  it('sums the databases of a host up', () => {
    const [a, b, c] = syncByHost({
      streams: [
        stream('a'),
        stream('a', { direction: 'pull', lastSuccessMs: 5 }),
        stream('b', { phase: 'copying', pending: 3 }),
        stream('b', { database: 'stripes', pending: 4, refused: 1 }),
        stream('c', { phase: 'failing', error: 'no way' }),
        stream('c', { phase: 'failing', direction: 'pull', error: 'no way' }),
      ],
    });
    assert.deepEqual([a?.phase, a?.lastSuccessMs], ['copied', 5]);
    assert.deepEqual([b?.phase, b?.pending, b?.refused], ['copying', 7, 1]);
    assert.deepEqual([c?.phase, c?.failing, c?.error], ['failing', 1, 'no way']);
  });
});
