import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openUserCatalog, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { StorageError } from '../../errors.js';
import { silentLogger } from '../../log.js';
import { RecordMemory } from '../../store/record-memory.js';
import { RecordProblems } from '../records/record-problems.js';
import { headMemory } from '../users/head-memory.js';
import type { HeadKeeperOptions } from './head-keeper.js';

const user = sampleUser();
const stripe = sampleStripe(user.id).id;

async function remembering(context: TestContext): Promise<HeadKeeperOptions & { readonly problems: RecordProblems }> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-heads-'));
  const memory = await RecordMemory.open(directory);
  context.after(async () => {
    await memory.close();
    await rm(directory, { recursive: true });
  });
  const logger = silentLogger();
  return { memory: headMemory(memory, user.id), problems: new RecordProblems(logger), logger };
}

async function copyOf(database: MemoryDocuments): Promise<MemoryDocuments> {
  const copy = new MemoryDocuments();
  await copy.put([...database.documents.values()]);
  return copy;
}

const isUnavailable = (error: unknown): boolean => StorageError.is(error, 'UNAVAILABLE');

for (const [whose, peer] of [
  ['its own', samplePeer(1)],
  ["another peer's", samplePeer(2)],
] as const) {
  test(`a database put back behind ${whose} last change is noticed, until that is there again`, async (context) => {
    const heads = await remembering(context);
    const later = new MemoryDocuments();
    const writer = await openUserCatalog(user, later, { peer });
    await writer.commit([sampleVersion('/a', [sampleExtent(stripe)])]);
    const earlier = await copyOf(later);
    await writer.commit([sampleVersion('/b', [sampleExtent(stripe)])]);
    await writer.close();
    // This peer has seen both.
    await (await openUserCatalog(user, later, { heads })).close();

    const back = await openUserCatalog(user, earlier, { heads });
    const isComplete = (): boolean => back.status.isComplete;
    assert.equal(isComplete(), false);
    assert.deepEqual(
      heads.problems.list().map(({ kind }) => kind),
      ['lost'],
    );
    await assert.rejects(back.unreferenced([stripe]), isUnavailable);
    await assert.rejects(back.remove('/a', { recursive: false, forever: true }), isUnavailable);
    // What is written meanwhile counts more than what it does not remember to have written.
    await back.commit([sampleVersion('/c')]);
    assert.ok(back.status.counter > 2);
    await earlier.put([...later.documents.values()]);
    while (!isComplete()) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await back.unreferenced([stripe]), []);
    assert.deepEqual(heads.problems.list(), []);
    await back.close();
  });
}

test('a catalog of which nothing is left gives no space back, unless its loss is accepted', async (context) => {
  const heads = await remembering(context);
  const writer = await openUserCatalog(user, new MemoryDocuments(), { heads });
  await writer.commit([sampleVersion('/a', [sampleExtent(stripe)])]);
  await writer.close();

  const lost = new MemoryDocuments();
  const empty = await openUserCatalog(user, lost, { heads });
  await assert.rejects(empty.unreferenced([stripe]), isUnavailable);
  await empty.commit([sampleVersion('/recovered')]);
  await empty.acceptLoss();
  assert.deepEqual(await empty.unreferenced([stripe]), [stripe]);
  await empty.close();
  const again = await openUserCatalog(user, lost, { heads });
  assert.equal(again.status.isComplete, true);
  await again.close();
});
