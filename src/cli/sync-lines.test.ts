import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusReply } from '../gateways/http/api.js';
import { syncLines } from './sync-lines.js';

type Stream = StatusReply['sync']['streams'][number];

function stream(fields: Partial<Stream>): Stream {
  const place = { host: 'a'.repeat(64), hostName: 'attic', database: 'network', direction: 'push' } as const;
  const state = { phase: 'waiting', sequence: '1-0', pending: 0, written: 0, refused: 0 } as const;
  return { ...place, ...state, error: null, lastSuccessMs: null, ...fields };
}

function lines(streams: readonly Stream[]): string[] {
  return syncLines({ error: null, streams, damaged: [] });
}

describe('The state of the catalog', () => {
  it('is one line for each backup host', () => {
    const other = { host: 'b'.repeat(64), hostName: 'cellar' };
    assert.deepEqual(lines([stream({}), stream({ direction: 'pull' }), stream({ ...other, refused: 2 })]), [
      'Backup   attic: all copied',
      'Backup   cellar: all copied, 2 documents refused',
    ]);
  });

  it('says how much is to be copied, and by what it is held up', () => {
    const copying = [stream({ phase: 'copying', pending: 40 }), stream({ phase: 'waiting', pending: null })];
    assert.deepEqual(lines(copying), ['Backup   attic: copying, 40 changes at most to go']);
    const failing = stream({ phase: 'failing', error: 'Nobody\u001b[2J answers.' });
    const [line = ''] = lines([stream({}), failing, { ...failing, direction: 'pull' }]);
    assert.match(line, /^Backup {3}attic: 1 database waits: Nobody/);
    assert.ok(!line.includes('\u001b'));
  });

  it('tells of a hosting that is away, of databases set aside, and of having no backup', () => {
    assert.deepEqual(syncLines({ error: 'It is away.', streams: [], damaged: [] }), [
      'Backup   not known: It is away.',
    ]);
    assert.deepEqual(
      syncLines({ error: null, streams: [], damaged: [{ name: 'stripes', movedTo: 'x', reason: '' }] }),
      [
        'Backup   no backup host: the catalog lies on this peer alone',
        'Damaged  the database stripes was set aside as x; backup hosts fill it again',
      ],
    );
  });
});
