import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { openUserCatalog, removeForever, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import type { StripeId } from '../../chunk/ids.js';
import { StorageError, type ErrorCode } from '../../errors.js';
import { MAX_CHANGE_BYTES } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { NewVersion } from '../catalog.js';
import type { Document } from '../../documents/document-database.js';

const user = sampleUser();
const FOREVER = { recursive: true, forever: true };

function fails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(work, (error) => StorageError.is(error, code));
}

function manyFiles(count: number): NewVersion[] {
  return Array.from({ length: count }, (_, index) => sampleVersion(`/many/${String(index)}`));
}

function spread(count: number): StripeId[] {
  return Array.from({ length: count }, () => sampleStripe(user.id).id);
}

test('a commit becomes few documents of bounded size', async () => {
  const documents = new MemoryDocuments();
  const catalog = await openUserCatalog(user, documents);
  const { id } = sampleStripe(user.id);
  await catalog.commit(
    Array.from({ length: 5000 }, (_, index) => sampleVersion(`/f/${String(index)}`, [sampleExtent(id)])),
  );
  assert.ok(documents.documents.size <= 40, String(documents.documents.size));
  for (const { sealed } of documents.documents.values()) {
    assert.ok(String(sealed).length <= (MAX_CHANGE_BYTES * 4) / 3 + 200, String(String(sealed).length));
  }
});

test('a commit of several documents shows nothing until all of them are there', async () => {
  const written = new MemoryDocuments();
  await (await openUserCatalog(user, written)).commit(manyFiles(1000));
  const parts = [...written.documents.values()];
  assert.ok(parts.length > 1);
  for (const missing of parts) {
    const documents = new MemoryDocuments();
    await documents.put(parts.filter((part) => part !== missing));
    const catalog = await openUserCatalog(user, documents);
    assert.deepEqual(catalog.list('/', true), []);
    await catalog.commit([sampleVersion('/other')]);
    await documents.put([missing]);
    const whole = await openUserCatalog(user, documents);
    assert.equal(whole.list('/many', false).length, 1000);
    assert.equal(whole.list('/', false).length, 2);
  }
});

test('a large file: its extents are read when they are asked for, and counted before space is given back', async () => {
  const documents = new MemoryDocuments();
  const writer = await openUserCatalog(user, documents);
  const stripes = spread(1000);
  const [kept] = stripes;
  assert.ok(kept !== undefined);
  const large = sampleVersion(
    '/large',
    stripes.map((stripe) => sampleExtent(stripe)),
  );
  await writer.commit([large, sampleVersion('/small', [sampleExtent(kept)])]);
  const extents = [...documents.documents.keys()].filter((id) => id.startsWith('extents-'));
  assert.equal(extents.length, 3);

  const reader = await openUserCatalog(user, documents);
  assert.deepEqual(await reader.manifest('/large'), large.manifest);
  assert.deepEqual(await removeForever(reader, '/small'), []);
  assert.deepEqual(new Set(await removeForever(reader, '/large')), new Set(stripes));
});

test('extents that cannot be read: the file says so, and no space is given back that it may need', async () => {
  const documents = new MemoryDocuments();
  const writer = await openUserCatalog(user, documents);
  const stripes = spread(300);
  const [shared] = stripes;
  assert.ok(shared !== undefined);
  await writer.commit([
    sampleVersion(
      '/large',
      stripes.map((stripe) => sampleExtent(stripe)),
    ),
    sampleVersion('/small', [sampleExtent(shared)]),
  ]);
  const id = [...documents.documents.keys()].find((name) => name.startsWith('extents-'));
  assert.ok(id !== undefined);
  const document = documents.documents.get(id);
  assert.ok(document !== undefined);

  documents.documents.set(id, { ...document, counter: 99 });
  const reader = await openUserCatalog(user, documents);
  await fails(reader.manifest('/large'), 'CORRUPT');
  assert.equal(await reader.remove('/small', FOREVER), 1);
  assert.deepEqual(await reader.dueRemovals(), { due: [], waitingFor: [] });
  await documents.remove([id]);
  await fails((await openUserCatalog(user, documents)).manifest('/large'), 'UNAVAILABLE');
});

class FailingDocuments extends MemoryDocuments {
  failure: 'before' | 'after' | undefined;

  override async put(documents: readonly Document[]): Promise<void> {
    const { failure } = this;
    this.failure = undefined;
    if (failure === 'before') throw new StorageError('NO_SPACE', 'full');
    await super.put(documents);
    if (failure === 'after') throw new StorageError('UNAVAILABLE', 'the disk did not answer');
  }
}

test('after a failed write the catalog shows what the database holds, and goes on', async () => {
  const documents = new FailingDocuments();
  const catalog = await openUserCatalog(user, documents);
  await catalog.commit([sampleVersion('/first')]);

  documents.failure = 'before';
  await fails(catalog.commit([sampleVersion('/lost')]), 'NO_SPACE');
  assert.deepEqual(
    catalog.list('/', true).map(({ path }) => path),
    ['/first'],
  );

  documents.failure = 'after';
  const doubtful = sampleVersion('/doubtful');
  await fails(catalog.commit([doubtful]), 'UNAVAILABLE');
  await catalog.commit([doubtful, sampleVersion('/lost')]);
  assert.deepEqual(
    catalog.list('/', true).map(({ path }) => path),
    ['/doubtful', '/first', '/lost'],
  );
  assert.equal(catalog.versions('/doubtful').length, 1);
  const again = await openUserCatalog(user, documents);
  assert.deepEqual(again.list('/', true), catalog.list('/', true));
});

test('peers that were apart make one folder', async () => {
  const documents = new MemoryDocuments();
  for (const peer of [1, 2]) {
    const mine = new MemoryDocuments();
    const catalog = await openUserCatalog(user, mine, { peer: samplePeer(peer) });
    await catalog.commit([sampleVersion(`/a/b/file-${String(peer)}`)]);
    await documents.put([...mine.documents.values()]);
  }
  const both = await openUserCatalog(user, documents);
  assert.deepEqual(
    both.list('/', true).map(({ path }) => path),
    ['/a', '/a/b', '/a/b/file-1', '/a/b/file-2'],
  );
});

test('closing ends the commits under way, wipes the keys and locks', async () => {
  const documents = new MemoryDocuments();
  const catalog = await openUserCatalog(user, documents);
  const { keys } = catalog;
  const committing = catalog.commit([sampleVersion('/last')]);
  await Promise.all([catalog.close(), committing]);
  assert.ok(keys.catalogKey.every((byte) => byte === 0) && keys.directoryKey.every((byte) => byte === 0));
  assert.throws(
    () => catalog.list('/', false),
    (error) => StorageError.is(error, 'LOCKED'),
  );
  assert.throws(
    () => catalog.keys,
    (error) => StorageError.is(error, 'LOCKED'),
  );
  await fails(catalog.commit([sampleVersion('/late')]), 'LOCKED');
  await fails(catalog.remove('/last', FOREVER), 'LOCKED');
  const again = await openUserCatalog(user, documents);
  assert.deepEqual(
    again.list('/', true).map(({ path }) => path),
    ['/last'],
  );
});

test('a change that was held back is noticed by the ones after it', async () => {
  const documents = new MemoryDocuments();
  const writer = await openUserCatalog(user, documents);
  for (const path of ['/one', '/two', '/three']) await writer.commit([sampleVersion(path)]);
  for (const [index, id] of [...documents.documents.keys()].entries()) {
    const partial = new MemoryDocuments();
    await partial.put([...documents.documents.values()].filter(({ _id }) => _id !== id));
    const reported: string[] = [];
    const note = ({ document }: { document: string }): void => {
      reported.push(document);
    };
    await openUserCatalog(user, partial, { logger: { warn: note } as unknown as Logger });
    assert.deepEqual(reported, index === 2 ? [] : [id], 'nothing comes after the last');
  }
});

test('a catalog with nothing in it, which may be lost, says nothing of stripes', async () => {
  const catalog = await openUserCatalog(user, new MemoryDocuments());
  const { id } = sampleStripe(user.id);
  await assert.rejects(catalog.unreferenced([id]), { code: 'UNAVAILABLE' });
  await catalog.makeFolder('/folder');
  assert.deepEqual(await catalog.unreferenced([id]), [id]);
});
