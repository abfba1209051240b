import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { samplePeer, sampleUser } from '../../test/contract/catalog-users.js';
import { MemoryDocuments } from '../../test/contract/memory-documents.js';
import { MemoryHost } from '../../test/contract/memory-host.js';
import type { HomeRecord } from '../catalog/records/home-record.js';
import type { KnownUser } from '../catalog/users/user-records.js';
import { userDatabase } from '../chunk/database-names.js';
import type { PeerId } from '../chunk/ids.js';
import { RETIRED_DATABASE_MS } from '../limits.js';
import { silentLogger } from '../log.js';
import { ReplicationPlanner } from './replication-planner.js';

const NOW_MS = 1_700_000_000_000;
const [here, there] = [samplePeer(1), samplePeer(2)];
const { id } = sampleUser();

function home(peer: PeerId, generation: number, more: Partial<HomeRecord> = {}): HomeRecord {
  return { user: id, peer, generation, gone: false, issuedMs: NOW_MS, ...more };
}

/** Which of the user's generations are replicated, the third being the present one. */
async function planned(context: TestContext, homes: HomeRecord[], local: readonly number[] = []): Promise<number[]> {
  const host = new MemoryHost();
  for (const generation of local) await host.open(userDatabase(id, generation));
  const known = { user: { owner: id, generation: 3, version: 5 } } as unknown as KnownUser;
  const names = await new Promise<string[]>((resolve) => {
    const planner = new ReplicationPlanner({
      self: here,
      records: { homeRecords: async () => homes, peers: async () => [], users: async () => [known] },
      network: new MemoryDocuments(),
      host,
      update: ({ databases }) => resolve(databases.map(({ name }) => name)),
      logger: silentLogger(),
      nowMs: () => NOW_MS,
    });
    context.after(() => planner.close());
  });
  assert.deepEqual(names.slice(0, 2), ['network', 'stripes']);
  const users = names.slice(2);
  const present = await host.names();
  assert.deepEqual(
    users.filter((name) => !present.includes(name)),
    [],
  );
  return users.map((name) => Number(name.split('-').at(-1)));
}

test('former generations are replicated while something may come into them', async (context) => {
  const long = { issuedMs: NOW_MS - RETIRED_DATABASE_MS };
  const cases: readonly (readonly [string, HomeRecord[], readonly number[], readonly number[]])[] = [
    ['nobody has the newest yet', [home(here, 0), home(there, 2)], [], [2, 3]],
    ['another home is behind', [home(here, 3), home(there, 2)], [2, 3], [2, 3]],
    ['and this one deleted the former too early', [home(here, 3), home(there, 2)], [3], [2, 3]],
    ['an older one is not fetched', [home(here, 3), home(there, 1)], [3], [2, 3]],
    ['but kept', [home(here, 3), home(there, 1)], [1, 3], [1, 2, 3]],
    ['all have brought everything over', [home(here, 3), home(there, 3)], [2, 3], [3]],
    ['a home that is gone may have left something', [home(here, 3), home(there, 2, { gone: true })], [2, 3], [2, 3]],
    ['but not for long', [home(here, 3, long), home(there, 2, { ...long, gone: true })], [2, 3], [3]],
    ['this home alone is behind', [home(here, 2, long), home(there, 3, long)], [2, 3], [2, 3]],
    ['this home is new to the user', [home(here, 0), home(there, 3)], [], [3]],
    ['what is being made', [home(here, 3), home(there, 3)], [3, 4], [3, 4]],
    ['the user is not at home here', [home(there, 3)], [2, 3], []],
  ];
  for (const [what, homes, local, expected] of cases) {
    assert.deepEqual(await planned(context, homes, local), expected, what);
  }
});
