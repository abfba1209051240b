import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { idBytes, parseChunkId, parsePeerId, parseStripeId } from '../chunk/ids.js';
import { MAX_DENIALS, SURVEY_PAGE } from '../limits.js';
import { openPeerState } from '../store/peer-state.js';
import type { Database } from '../store/sqlite.js';
import { Denials, type Denial } from './denials.js';

const hex = (n: number): string => n.toString(16).padStart(64, '0');
const peer = (n: number): Denial['peer'] => parsePeerId(hex(n));

function denial(n: number, reason: Denial['reason'] = 'missing', of = 1): Denial {
  return { peer: peer(of), chunk: parseChunkId(hex(n)), stripe: parseStripeId(hex(n)), reason, atMs: n };
}

describe('Denials', () => {
  let folder: string;
  let state: Database;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-denials-'));
    state = await openPeerState(folder);
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('remembers them over a restart, until they are settled', async () => {
    const denials = new Denials(state);
    await denials.note([denial(1), denial(2, 'damaged'), denial(3, 'withdrawn')]);
    await denials.noteCompared(new Map([[peer(1), { atMs: 5, opened: 'x' }]]));
    const again = new Denials(state);
    assert.deepEqual([again.count, again.countOf(peer(1))], [3, 2]);
    assert.deepEqual([...again.pages()].flat(), [denial(1), denial(2, 'damaged'), denial(3, 'withdrawn')]);
    assert.deepEqual(again.compared(peer(1)), { atMs: 5, opened: 'x' });
    assert.equal(again.isFault(peer(1), denial(2).chunk), true);
    assert.equal(again.isFault(peer(1), denial(3).chunk), false, 'its owner took it back');
    await again.settle([denial(1), denial(9)]);
    assert.equal(new Denials(state).of(peer(1), denial(1).chunk), undefined);
    assert.equal(again.count, 2);
  });

  it('tells of every change, and publishes them together', async () => {
    const denials = new Denials(state);
    const { published } = denials;
    await denials.note([denial(1)]);
    const { revision } = denials;
    await denials.note([denial(1)]);
    assert.equal(denials.revision, revision, 'nothing new');
    await denials.note([denial(1, 'damaged')]);
    assert.ok(denials.revision > revision);
    assert.equal(denials.published, published);
    denials.publish();
    assert.equal(denials.published, denials.revision);
  });

  it('takes as many as it may, and what it knows takes no room', async () => {
    await state.write(() => {
      state
        .prepareAll({
          fill: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO denials (peer, chunk, stripe, reason, at_ms)
                 SELECT ?2, unhex(printf('%064x', i)), unhex(printf('%064x', i)), 'missing', i FROM n`,
        })
        .fill.run(MAX_DENIALS - 1, idBytes(peer(1)));
    });
    const denials = new Denials(state);
    assert.equal(denials.count, MAX_DENIALS - 1);
    const [fresh, late] = [denial(MAX_DENIALS, 'missing', 2), denial(MAX_DENIALS + 1, 'missing', 3)];
    const left = await denials.note([denial(1, 'damaged'), denial(2, 'damaged'), fresh, late]);
    assert.deepEqual([[...left], denials.count], [[peer(3)], MAX_DENIALS]);
    assert.equal(denials.of(peer(2), fresh.chunk), 'missing');
  });

  it('gives them page by page, and forgets those of who is no member any more', async () => {
    const denials = new Denials(state);
    const many = Array.from({ length: SURVEY_PAGE + 1 }, (_, n) => denial(n));
    await denials.note([...many, denial(1, 'missing', 2)]);
    assert.deepEqual(
      [...denials.pages()].map(({ length }) => length),
      [SURVEY_PAGE, 2],
    );
    await denials.noteCompared(new Map([[peer(1), { atMs: 5, opened: 'x' }]]));
    await denials.forgetOthers(new Set([peer(2)]));
    assert.deepEqual([denials.count, denials.compared(peer(1))], [1, undefined]);
  });
});
