import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openUserCatalog, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleVersion } from '../../../test/contract/catalog-samples.js';
import { shown } from '../../../test/contract/catalog-view.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import type { Document, Listed } from '../../documents/document-database.js';
import { DOCUMENT_PAGE } from '../../limits.js';
import { silentLogger } from '../../log.js';
import { writeState } from './state-writer.js';
import { UserDocuments } from './user-documents.js';

const user = sampleUser();
const CHANGES = 250;

/** Remembers how documents were read. */
class WatchedDocuments extends MemoryDocuments {
  readonly reads: string[] = [];

  override async get(id: string): Promise<Document | undefined> {
    this.reads.push('one');
    return super.get(id);
  }

  override async getMany(ids: readonly string[]): Promise<readonly Listed[]> {
    assert.ok(ids.length <= DOCUMENT_PAGE, 'a page at most');
    this.reads.push('many');
    return super.getMany(ids);
  }

  override list(prefix: string): AsyncIterable<readonly Listed[]> {
    this.reads.push(`all of ${prefix}`);
    return super.list(prefix);
  }
}

async function watched(...documents: readonly Document[]): Promise<WatchedDocuments> {
  const database = new WatchedDocuments();
  await database.put(documents);
  return database;
}

function readerOf(database: MemoryDocuments): UserDocuments {
  const writer = { peer: samplePeer(1), peerName: 'attic' };
  return new UserDocuments(database, { ...writer, user: user.id, keys: user.keys(), logger: silentLogger() });
}

async function changesOf(count: number, folder: string): Promise<Document[]> {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  for (let at = 0; at < count; at++) await catalog.commit([sampleVersion(`${folder}/${String(at)}`)]);
  return [...database.documents.values()];
}

/** In the order of their parts. */
async function dumpOf(changes: readonly Document[]): Promise<Document[]> {
  const view = await readerOf(await watched(...changes)).readView();
  const target = new MemoryDocuments();
  await writeState(view, readerOf(target), { base: false, signal: new AbortController().signal });
  return [...target.documents.values()];
}

test('where a sum was stopped halfway, changes are listed as if there were none', async () => {
  const changes = await changesOf(CHANGES, '/many');
  const dump = await dumpOf(changes);
  assert.ok(dump.length > 1);
  const database = await watched(...changes, ...dump.slice(0, -1));
  const view = await readerOf(database).readView();
  assert.equal(shown(view).length, CHANGES + 1);
  assert.deepEqual(database.reads, ['all of state-', 'all of change-']);
});

test('behind a sum, what came since is read by its ids', async () => {
  const changes = await changesOf(CHANGES, '/many');
  const later = await changesOf(DOCUMENT_PAGE + 1, '/later');
  const database = await watched(...changes, ...(await dumpOf(changes)), ...later);
  const view = await readerOf(database).readView();
  assert.equal(shown(view).length, CHANGES + later.length + 2);
  assert.deepEqual(database.reads, ['all of state-', 'many', 'many']);
});

test('what a feed tells of is read at once', async () => {
  const database = await watched();
  const reader = readerOf(database);
  const view = await reader.readView();
  const changes = await changesOf(DOCUMENT_PAGE, '/many');
  await database.put(changes);
  database.reads.length = 0;
  const ids = changes.map(({ _id }) => _id);
  assert.equal(await reader.update(view, ids), true);
  assert.equal(shown(view).length, changes.length + 1);
  assert.deepEqual(database.reads, ['many']);
});
