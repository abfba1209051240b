import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LevelDatabase } from '../level-database.js';
import type { Pouch } from '../pouch.js';
import { LevelEndpoint } from './level-endpoint.js';
import { NEVER } from '../../../test/contract/offer.js';
import { Revivals } from './revivals.js';

const rev = (digit: string): string => `1-${digit.repeat(32)}`;

describe('a database of this process', () => {
  it('says of each revision that it lacks it, be the document told of twice', async () => {
    const known = 'change-1';
    const revsDiff = async (asked: Readonly<Record<string, string[]>>): ReturnType<Pouch['revsDiff']> =>
      Object.fromEntries(Object.entries(asked).map(([id, missing]) => [id, { missing }]));
    const database = {
      winners: async () => new Map([[known, { rev: rev('0'), deleted: false }]]),
      read: async (_doing: string, work: (pouch: Pouch) => Promise<unknown>) => work({ revsDiff } as unknown as Pouch),
    } as unknown as LevelDatabase;
    const endpoint = new LevelEndpoint(database, { judge: () => undefined, revivals: new Revivals() });
    const told = [known, 'change-2'].flatMap((id) => [
      { id, revs: [rev('a')] },
      { id, revs: [rev('b'), rev('a')] },
    ]);
    const missing = await endpoint.missing(told);
    const both = [rev('a'), rev('b')];
    assert.deepEqual(missing, [
      { id: 'change-2', revs: both },
      { id: known, revs: both },
    ]);
  });

  it('gives out full pages until its end, whatever has changed again later', async () => {
    // Of every ten documents one is as it was.
    const live = (sequence: number): boolean => sequence % 10 === 0;
    const end = 1_000;
    let reads = 0;
    const database = {
      writes: 0,
      parseSequence: async (text: string) => Number(text),
      formatSequence: async (sequence: number) => String(sequence),
      changes: async (since: number, limit: number) => {
        reads++;
        const looked = Array.from({ length: Math.min(limit, end - since) }, (_, n) => since + n + 1);
        const changes = looked
          .filter(live)
          .map((n) => ({ sequence: n, id: `change-${String(n)}`, leaves: [rev('a')] }));
        return { changes, last: looked.at(-1) ?? since, isEnd: looked.length < limit };
      },
      read: async () => ({ update_seq: end }),
    } as unknown as LevelDatabase;
    const endpoint = new LevelEndpoint(database, { judge: () => undefined, revivals: new Revivals() });
    const lengths: number[] = [];
    const ids = new Set<string>();
    for (let since = '0'; ;) {
      const { changes, last, pending } = await endpoint.feed({ since, limit: 30, waitMs: 0, signal: NEVER });
      lengths.push(changes.length);
      for (const { id } of changes) ids.add(id);
      since = last;
      if (pending === 0) break;
    }
    assert.deepEqual([lengths, ids.size], [[30, 30, 30, 10], 100]);
    assert.ok(reads < (2 * end) / 30, `${String(reads)} reads, not one for each change that is still to be found`);
  });
});
