import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openUserCatalog, samplePeer, sampleUser, type SampleUser } from '../../../test/contract/catalog-users.js';
import { moveAll, sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { shownWithPlaces } from '../../../test/contract/catalog-view.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import type { Document } from '../../documents/document-database.js';
import { MAX_DOCUMENT_BYTES } from '../../limits.js';
import { silentLogger } from '../../log.js';
import { readSealed } from './sealed-document.js';
import { decodeState } from './state.js';
import type { UserCatalog } from './user-catalog.js';
import { UserDocuments } from './user-documents.js';

const never = new AbortController().signal;
const user = sampleUser();
/** The same user under the next keys. */
const next: SampleUser = { ...sampleUser(), id: user.id };
const stripe = sampleStripe(user.id).id;

function documentsOf(owner: SampleUser, database: MemoryDocuments, peer = 1): UserDocuments {
  const options = { user: user.id, peer: samplePeer(peer), peerName: 'attic', logger: silentLogger() };
  return new UserDocuments(database, { ...options, keys: owner.keys() });
}

/** Folders, versions, trash, removals, what was stored anew elsewhere, and a file so large that its extents lie apart. */
async function fill(catalog: UserCatalog): Promise<void> {
  await catalog.commit(
    Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`, [sampleExtent(stripe)])),
  );
  await catalog.commit([
    sampleVersion(
      '/large',
      Array.from({ length: 900 }, () => sampleExtent(stripe)),
    ),
  ]);
  await catalog.commit([sampleVersion('/sparse', [sampleExtent(sampleStripe(user.id).id)])]);
  await moveAll(catalog);
  await catalog.commit([sampleVersion('/many/7')]);
  await catalog.move('/many/8', '/eight');
  await catalog.remove('/many/9', { recursive: false, forever: true });
  await catalog.remove('/many/10', { recursive: false, forever: false });
}

async function generations(): Promise<{ old: MemoryDocuments; fresh: MemoryDocuments; catalog: UserCatalog }> {
  const old = new MemoryDocuments();
  const catalog = await openUserCatalog(user, old);
  await fill(catalog);
  return { old, fresh: new MemoryDocuments(), catalog };
}

async function seen(owner: SampleUser, database: MemoryDocuments): Promise<string[]> {
  return shownWithPlaces(await documentsOf(owner, database).readView());
}

test('the next generation has all of the one before, and what is written meanwhile or elsewhere follows', async () => {
  const { old, fresh, catalog } = await generations();
  await catalog.exportState(documentsOf(next, fresh), { signal: never });
  assert.deepEqual(await seen(next, fresh), await seen(user, old));
  for (const document of fresh.documents.values()) {
    assert.ok(Buffer.byteLength(JSON.stringify(document)) <= MAX_DOCUMENT_BYTES);
  }

  // Written at this peer after the state was taken, and at one that was away.
  await catalog.commit([
    sampleVersion(
      '/late',
      Array.from({ length: 500 }, () => sampleExtent(stripe)),
    ),
  ]);
  const away = new MemoryDocuments();
  await away.put([...old.documents.values()]);
  const other = await openUserCatalog(user, away, { peer: samplePeer(2) });
  await other.commit(Array.from({ length: 600 }, (_, at) => sampleVersion(`/away/${String(at)}`)));
  await other.move('/eight', '/moved');
  await moveAll(other);

  const renewed = await openUserCatalog(next, fresh);
  assert.equal((await renewed.bringOver(documentsOf(user, old), { signal: never })).documents, 1);
  const before = new Set(fresh.documents.keys());
  const brought = await renewed.bringOver(documentsOf(user, away, 2), { signal: never });
  assert.deepEqual(brought.left, []);
  assert.equal(renewed.stat('/moved').type, 'file');
  assert.equal(renewed.list('/away', false).length, 600);
  assert.equal(renewed.status.isComplete, true);

  // Another peer that does the same makes the same documents.
  const twice = new MemoryDocuments();
  await twice.put([...fresh.documents.values()].filter(({ _id }) => before.has(_id)));
  const again = await openUserCatalog(next, twice);
  await again.bringOver(documentsOf(user, away, 3), { signal: never });
  assert.deepEqual([...twice.documents.keys()].sort(), [...fresh.documents.keys()].sort());

  const late = (await renewed.manifest('/late')).extents;
  assert.equal(late.length, 500);
  assert.deepEqual((await renewed.manifest('/large')).extents, (await catalog.manifest('/large')).extents);
  assert.deepEqual((await renewed.manifest('/sparse')).extents, (await other.manifest('/sparse')).extents);
  await old.put([...away.documents.values()]);
  assert.deepEqual(await seen(next, fresh), await seen(user, old));
});

function partOf(document: Document): number {
  const { plain } = readSealed(document, { type: 'state', user: user.id }, next.keys());
  return decodeState(plain).dump?.part ?? -1;
}

test('a state that was cut off goes on where it was, and what is missing of it is noticed', async () => {
  const { old, catalog } = await generations();
  const whole = new MemoryDocuments();
  await catalog.exportState(documentsOf(next, whole), { signal: never });
  const states = [...whole.documents.values()].filter(({ _id }) => _id.startsWith('state-'));
  assert.ok(states.length >= 4);
  for (const missing of states) {
    const partial = new MemoryDocuments();
    await partial.put([...whole.documents.values()].filter((document) => document !== missing));
    const view = await documentsOf(next, partial).readView();
    assert.equal(view.isComplete, false);
  }

  // Parts that came before the cut are not written again.
  const parts = states.slice().sort((a, b) => partOf(a) - partOf(b));
  const cut = new MemoryDocuments();
  await cut.put([...whole.documents.values()].filter((document) => !states.includes(document)));
  await cut.put(parts.slice(0, 3));
  await catalog.exportState(documentsOf(next, cut), { signal: never });
  assert.equal([...cut.documents.keys()].filter((id) => id.startsWith('state-')).length, states.length);
  assert.deepEqual(await seen(next, cut), await seen(user, old));
  assert.equal((await documentsOf(next, cut).readView()).isComplete, true);
});

test('an aborted export stops, and says why', async () => {
  const { fresh, catalog } = await generations();
  const reason = new Error('enough');
  await assert.rejects(
    catalog.exportState(documentsOf(next, fresh), { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
  assert.equal(fresh.documents.size, 0);
});
