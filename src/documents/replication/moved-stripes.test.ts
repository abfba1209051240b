import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../../errors.js';
import type { LevelDatabase } from '../level-database.js';
import type { CouchEndpoint } from './couch-endpoint.js';
import type { FeedRequest, NamedRevisions } from './endpoint.js';
import { MovedStripes } from './moved-stripes.js';
import { MovesAgain } from './moves-again.js';

const HASH = (digit: string): string => digit.repeat(64);
const REV = `1-${'a'.repeat(32)}`;
const stripe = (digit: string): NamedRevisions => ({ id: `stripe-${HASH(digit)}`, revs: [REV] });
const move = (digit: string, hash = 'a'): NamedRevisions => ({ id: `move-${HASH(digit)}-${HASH(hash)}`, revs: [REV] });

/** A host that tells of these changes once, and a peer that knows some stripes. */
class Stage {
  readonly documents: NamedRevisions[] = [];
  readonly known = new Set<string>();
  readonly asked: string[] = [];
  readonly requests: FeedRequest[] = [];
  changes: readonly NamedRevisions[] = [];
  failure: StorageError | undefined;
  readonly #again = new MovesAgain();
  #stripes: MovedStripes;

  constructor() {
    this.#stripes = this.#connected();
  }

  /** Anew. */
  connect(): void {
    this.#stripes = this.#connected();
  }

  #connected(): MovedStripes {
    const host = {
      feed: async (request: FeedRequest) => {
        this.requests.push(request);
        const { changes } = this;
        this.changes = [];
        return { changes, last: '1', pending: 0 };
      },
      leaves: async (id: string) => {
        this.asked.push(id);
        if (this.failure !== undefined) throw this.failure;
        const found = this.documents.find((document) => document.id === id);
        if (found === undefined) throw new StorageError('NOT_FOUND', 'It was deleted.');
        return found;
      },
      listing: async (prefix: string, limit: number) => {
        this.asked.push(prefix);
        return this.documents.filter(({ id }) => id.startsWith(prefix)).slice(0, limit);
      },
    } as unknown as CouchEndpoint;
    const winners = async (ids: readonly string[]): ReturnType<LevelDatabase['winners']> =>
      new Map(ids.flatMap((id) => (this.known.has(id) ? [[id, { rev: REV, deleted: true }]] : [])));
    return new MovedStripes(host, { winners }, this.#again);
  }

  /** What comes beside these changes. */
  async beside(...changes: readonly NamedRevisions[]): Promise<readonly string[]> {
    this.changes = changes;
    const { signal } = new AbortController();
    const page = await this.#stripes.feed({ since: '0', limit: 10, waitMs: 25_000, signal });
    assert.deepEqual(page.changes, changes);
    return (page.beside ?? []).map(({ id }) => id);
  }
}

describe('stripes that were moved to this peer', () => {
  it('come with all their moves, where nothing of them is here', async () => {
    const stage = new Stage();
    stage.documents.push(stripe('1'), move('1'), move('1', 'b'), stripe('2'), stripe('3'));
    stage.known.add(stripe('2').id);
    const told = [move('1', 'b'), move('2'), stripe('3'), move('3')];
    assert.deepEqual(
      await stage.beside(...told),
      [move('1'), move('1', 'b'), stripe('1')].map(({ id }) => id),
    );
    assert.deepEqual(stage.asked, [stripe('1').id, `move-${HASH('1')}-`], 'of no other');
    assert.deepEqual(await stage.beside(), [], 'of nothing that did not move');
  });

  it('are left out when they were forgotten, or spoiled, and asked for again when the host fails', async () => {
    const stage = new Stage();
    assert.deepEqual(await stage.beside(move('1')), []);
    stage.failure = new StorageError('LIMIT_EXCEEDED', 'It has too many branches.');
    assert.deepEqual(await stage.beside(move('1')), []);
    stage.failure = new StorageError('UNAVAILABLE', 'It is off.');
    await assert.rejects(stage.beside(move('1')), { code: 'UNAVAILABLE' });
  });

  it('are looked at again, for a move by another repairer that names this peer nowhere', async (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const stage = new Stage();
    stage.documents.push(stripe('1'), move('1'));
    await stage.beside(move('1'));
    stage.documents.push(move('1', 'b'));
    nowMs = 20_000;
    assert.deepEqual(await stage.beside(), []);
    assert.equal(stage.requests.at(-1)?.waitMs, 10_000, 'no longer than until then');
    nowMs = 30_000;
    const all = [move('1'), move('1', 'b'), stripe('1')].map(({ id }) => id);
    stage.failure = new StorageError('UNAVAILABLE', 'It is off.');
    await assert.rejects(stage.beside(), { code: 'UNAVAILABLE' });
    stage.failure = undefined;
    assert.deepEqual(await stage.beside(), all, 'for the host was off');
    stage.connect();
    assert.deepEqual(await stage.beside(), all, 'for the connection broke before it was copied');
    assert.deepEqual(await stage.beside(), []);
  });

  it('are left out when they have more moves than are taken: some of them would place chunks where they are not', async () => {
    const stage = new Stage();
    const moves = Array.from({ length: 1_025 }, (_, n) => `move-${HASH('1')}-${String(n).padStart(64, '0')}`);
    stage.documents.push(stripe('1'), ...moves.slice(1).map((id) => ({ id, revs: [REV] })));
    assert.equal((await stage.beside(move('1'))).length, 1_025);
    stage.documents.push({ id: moves[0] ?? '', revs: [REV] });
    assert.deepEqual(await stage.beside(move('1')), []);
  });

  it('come a bounded number at a time, and the rest with the next page', async () => {
    const stage = new Stage();
    const stripes = Array.from({ length: 40 }, (_, n) => String(n).padStart(64, '0'));
    for (const id of stripes) {
      const ids = Array.from({ length: 1_000 }, (_, n) => `move-${id}-${String(n).padStart(64, '0')}`);
      stage.documents.push({ id: `stripe-${id}`, revs: [REV] }, ...ids.map((each) => ({ id: each, revs: [REV] })));
    }
    const first = await stage.beside(...stripes.map((id) => ({ id: `move-${id}-${HASH('0')}`, revs: [REV] })));
    const second = await stage.beside();
    assert.deepEqual([first.length, second.length], [24 * 1_001, 16 * 1_001]);
    assert.equal(new Set([...first, ...second]).size, 40 * 1_001);
    assert.deepEqual(await stage.beside(), []);
  });
});
