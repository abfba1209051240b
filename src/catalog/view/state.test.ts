import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  openUserCatalog,
  removeForever,
  samplePeer,
  sampleUser,
  type SampleUser,
} from '../../../test/contract/catalog-users.js';
import { moveAll, sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { shownWithPlaces } from '../../../test/contract/catalog-view.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { SeededNumbers } from '../../../test/e2e/programs/seeded.js';
import type { NewVersion } from '../catalog.js';
import { parseFileId } from '../../chunk/ids.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { silentLogger } from '../../log.js';
import { writeState, type WriteStateOptions } from './state-writer.js';
import type { UserCatalog } from './user-catalog.js';
import { UserDocuments } from './user-documents.js';
import type { View } from './view.js';

const never = new AbortController().signal;
const user = sampleUser();

function documentsOf(owner: SampleUser, database: MemoryDocuments, peer = 1): UserDocuments {
  const keys = owner.keys();
  return new UserDocuments(database, {
    user: user.id,
    peer: samplePeer(peer),
    peerName: 'attic',
    keys,
    logger: silentLogger(),
  });
}

async function databaseOf(documents: readonly Document[]): Promise<MemoryDocuments> {
  const database = new MemoryDocuments();
  await database.put(documents);
  return database;
}

async function viewOf(documents: readonly Document[]): Promise<View> {
  return documentsOf(user, await databaseOf(documents)).readView();
}

async function dumpOf(documents: readonly Document[], options: Partial<WriteStateOptions> = {}): Promise<Document[]> {
  const database = new MemoryDocuments();
  const target = documentsOf(user, database);
  await writeState(await viewOf(documents), target, { base: false, signal: never, ...options });
  return [...database.documents.values()];
}

const NAMES = ['a', 'b', 'c'] as const;

/** Each in a stripe of its own. */
function stored(path: string): NewVersion {
  return sampleVersion(path, [sampleExtent(sampleStripe(user.id).id)]);
}

async function carryOut(catalog: UserCatalog): Promise<void> {
  const { due } = await catalog.dueRemovals();
  await catalog.carryOutRemovals(due.map(({ node }) => node));
}

/** What a peer does next, as numbers choose; whatever is impossible is passed over. */
async function act(catalog: UserCatalog, numbers: SeededNumbers): Promise<void> {
  const path = (): string => {
    const depth = 1 + numbers.below(3);
    return `/${Array.from({ length: depth }, () => NAMES[numbers.below(NAMES.length)] ?? 'a').join('/')}`;
  };
  const [at, to] = [path(), path()];
  const acts = [
    () => catalog.commit([stored(at)]),
    () => catalog.commit([stored(at), stored(to)]),
    () => moveAll(catalog),
    () => catalog.giveUpMoved(Number.MAX_SAFE_INTEGER),
    () => carryOut(catalog),
    () => catalog.makeFolder(at),
    () => catalog.move(at, to),
    () => catalog.remove(at, { recursive: true, forever: true }),
    () => catalog.remove(at, { recursive: true, forever: false }),
    () => catalog.restore(at),
    () => catalog.restore(at, catalog.versions(at).at(-1)?.version),
    () => catalog.emptyTrash(Number.MAX_SAFE_INTEGER),
    () => removeForever(catalog, at),
  ];
  try {
    await acts[numbers.below(acts.length)]?.();
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
  }
}

/** Three peers that work apart and meet now and then. */
async function history(numbers: SeededNumbers): Promise<Document[]> {
  const all = new MemoryDocuments();
  for (let round = 0; round < 3; round++) {
    const before = [...all.documents.values()];
    for (const peer of [1, 2, 3]) {
      const mine = await databaseOf(before);
      const catalog = await openUserCatalog(user, mine, { peer: samplePeer(peer), peerName: `peer ${String(peer)}` });
      for (let step = numbers.below(6); step > 0; step--) await act(catalog, numbers);
      await catalog.close();
      await all.put([...mine.documents.values()]);
    }
  }
  return [...all.documents.values()];
}

function shuffled<T>(items: readonly T[], numbers: SeededNumbers): T[] {
  const keyed = items.map((item) => ({ item, key: numbers.below(2 ** 31) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

test('a dump of any part of a history merges with the whole of it, in any order, and stands for that part', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const numbers = new SeededNumbers(String(seed));
      const changes = await history(numbers);
      const reference = shownWithPlaces(await viewOf(changes));
      const part = changes.filter(() => numbers.below(2) === 0);
      const partView = await viewOf(part);
      const dump = await dumpOf(part);
      assert.deepEqual(shownWithPlaces(await viewOf(dump)), shownWithPlaces(partView), 'the dump alone');
      const rest = changes.filter((change) => !part.includes(change));
      for (const documents of [
        [...dump, ...rest],
        [...dump, ...changes],
        [...(await dumpOf([...dump, ...rest])), ...changes],
        await dumpOf([...dump, ...changes]),
      ]) {
        const view = await viewOf(documents);
        assert.deepEqual(shownWithPlaces(view), reference);
        assert.equal(view.isComplete, true);
      }
      // One by one, as a feed brings them.
      const documents = [...changes, ...dump];
      const reader = documentsOf(user, await databaseOf(documents));
      const view = await documentsOf(user, new MemoryDocuments()).readView();
      for (const { _id } of shuffled(documents, numbers)) await reader.update(view, [_id]);
      assert.deepEqual(shownWithPlaces(view), reference);
    }),
    { numRuns: 30 },
  );
});

test('a dump does not stand for the parts of a commit that was not whole where it was written', async () => {
  const written = new MemoryDocuments();
  const catalog = await openUserCatalog(user, written);
  await catalog.commit(Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`)));
  const parts = [...written.documents.values()];
  assert.ok(parts.length > 1);
  for (const missing of parts) {
    const arrived = parts.filter((part) => part !== missing);
    const dump = await dumpOf(arrived);
    assert.deepEqual(shownWithPlaces(await viewOf([...dump, ...arrived])), []);
    assert.equal(shownWithPlaces(await viewOf([...dump, ...parts])).length, 601);
    // And where the dump has all of it, nobody waits for what is missing.
    const whole = await viewOf([...(await dumpOf(parts)), ...arrived]);
    assert.equal(shownWithPlaces(whole).length, 601);
    assert.equal(whole.isComplete, true);
  }
});

test('a dump that was stopped does not go on where a document that it stands for was lost meanwhile', async () => {
  const written = new MemoryDocuments();
  const catalog = await openUserCatalog(user, written);
  // Of all nodes the last: the dump is stopped before it.
  const { manifest } = sampleVersion('/lost');
  await catalog.commit([{ path: '/lost', manifest: { ...manifest, file: parseFileId('f'.repeat(32)) } }]);
  const lost = [...written.documents.values()];
  await catalog.commit(Array.from({ length: 9_000 }, (_, at) => sampleVersion(`/many/${String(at)}`)));
  const rest = [...written.documents.values()].filter((document) => !lost.includes(document));
  const database = await databaseOf([...lost, ...rest]);
  const target = documentsOf(user, database);
  const stop = new AbortController();
  const stopped = writeState(await target.readView(), target, {
    base: false,
    signal: stop.signal,
    onProgress: () => {
      stop.abort();
    },
  });
  await assert.rejects(stopped, { name: 'AbortError' });
  const states = [...database.documents.values()].filter(({ _id }) => _id.startsWith('state-'));
  assert.ok(states.length > 0);
  const refilled = await databaseOf([...states, ...rest]);
  const again = documentsOf(user, refilled);
  await writeState(await again.readView(), again, { base: false, signal: never });
  const whole = [...refilled.documents.values()];
  assert.equal(shownWithPlaces(await viewOf([...whole, ...lost])).length, 9_002);
});

test('a part of a dump that has a moved version, and not what keeps its former places, is known not to be all', async () => {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  await catalog.commit(Array.from({ length: 900 }, (_, at) => stored(`/${String(at)}`)));
  const before = [...database.documents.values()];
  await moveAll(catalog);
  const dump = await dumpOf([...database.documents.values()]);
  const isMoved = (view: View): boolean =>
    [...view.tree.nodes()].some(({ versions }) => versions.some((one) => one.moved));
  let partial = 0;
  for (const part of dump) {
    const documents = [...before, part];
    if (!isMoved(await viewOf(documents))) continue;
    partial++;
    const some = await openUserCatalog(user, await databaseOf(documents), { peer: samplePeer(2) });
    await assert.rejects(some.unreferenced([]), { code: 'UNAVAILABLE' });
    await some.close();
  }
  assert.ok(partial > 1);
  const whole = await viewOf([...before, ...dump]);
  assert.deepEqual([whole.isComplete, whole.arrivals.isAhead], [true, false]);
  const { arrivals } = await viewOf([...before, ...dump.slice(0, -1)]);
  assert.equal(arrivals.isAheadOfMoves, true);
  arrivals.giveUp();
  assert.equal(arrivals.isAheadOfMoves, false, 'until that is given up');
});
