import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LevelDatabase } from '../level-database.js';
import type { Pouch } from '../pouch.js';
import { LevelEndpoint } from './level-endpoint.js';
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
});
