import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { test } from 'node:test';
import { openUserCatalog, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { u32, u64, utf8, concatBytes } from '../../bytes.js';
import { idBytes } from '../../chunk/ids.js';
import { signEd25519 } from '../../crypto/signature.js';
import { createHash } from 'node:crypto';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { MAX_DOCUMENT_BYTES, STATE_AFTER_CHANGES } from '../../limits.js';
import { conflictName } from './conflict-name.js';
import type { UserCatalog } from './user-catalog.js';

const user = sampleUser();
const DAY_MS = 24 * 60 * 60 * 1000;

function paths(catalog: UserCatalog): string[] {
  return catalog.list('/', true).map(({ path }) => path);
}

/** Resolves at the next change of the catalog, from wherever. */
async function nextChange(catalog: UserCatalog, doing: () => Promise<unknown>): Promise<void> {
  const changes = new EventEmitter();
  const end = catalog.onChange(() => changes.emit('change'));
  await Promise.all([once(changes, 'change'), doing()]);
  end();
}

async function written(...steps: ((catalog: UserCatalog) => Promise<unknown>)[]): Promise<Document[]> {
  const documents = new MemoryDocuments();
  const catalog = await openUserCatalog(user, documents, { peer: samplePeer(2), peerName: 'cellar' });
  for (const step of steps) await step(catalog);
  await catalog.close();
  return [...documents.documents.values()];
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

test('what another peer wrote is shown when it arrives, and what nobody signed does no harm', async () => {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  await catalog.commit([sampleVersion('/mine')]);
  const [theirs] = await written((other) => other.commit([sampleVersion('/theirs')]));
  assert.ok(theirs !== undefined);
  const hostile: Document[] = [
    { ...theirs, _id: `change-${'1'.repeat(64)}` },
    { ...theirs, _id: `change-${'2'.repeat(64)}`, sealed: 'x'.repeat(10_000_000) },
    { ...theirs, _id: `state-${'3'.repeat(64)}`, type: 'state', format: 99 },
    { _id: `state-${'4'.repeat(64)}`, counter: Number.MAX_VALUE },
  ];
  await nextChange(catalog, () => database.put([...hostile, theirs]));
  assert.deepEqual(paths(catalog), ['/mine', '/theirs']);
  assert.equal(catalog.status.refused, hostile.length);
  assert.equal(catalog.status.readOnly, false, 'nobody but the user can say that a newer version wrote here');
  const nested: Document[] = [
    { _id: `change-${'5'.repeat(64)}`, type: 'change', format: 1, nested: deep(10_000) },
    { _id: 'change-?', sealed: deep(10_000), counter: { a: 1 }, user: 7 },
  ];
  for (const document of nested) database.documents.set(document._id, document);
  await catalog.commit([sampleVersion('/more')]);
  await catalog.close();
  const again = await openUserCatalog(user, database);
  assert.deepEqual(paths(again), ['/mine', '/more', '/theirs']);
  assert.equal(again.status.refused, hostile.length + nested.length);
  await again.close();
});

test('a genuine text is found below a forged one, and below a tombstone that others know of', async () => {
  const database = new MemoryDocuments();
  const documents = await written(
    (other) => other.commit([sampleVersion('/one')]),
    (other) => other.commit([sampleVersion('/two')]),
  );
  await database.put(documents);
  const [first] = documents;
  assert.ok(first !== undefined);
  await database.put([{ ...first, sealed: 'AAAA' }]);
  const forged = await openUserCatalog(user, database);
  assert.deepEqual(paths(forged), ['/one', '/two']);
  await database.remove([first._id]);
  const deleted = await openUserCatalog(user, database);
  assert.deepEqual(paths(deleted), ['/one', '/two']);
});

test('what a newer version wrote makes the catalog read-only', async () => {
  const database = new MemoryDocuments();
  const writer = await openUserCatalog(user, database);
  await writer.commit([sampleVersion('/file')]);
  const [document] = [...database.documents.values()];
  assert.ok(document !== undefined);
  const sealed = Buffer.from('of a later format');
  const peer = samplePeer(1);
  const fields = concatBytes(utf8('change'), Uint8Array.of(0), u32(2), idBytes(user.id), idBytes(peer), u64(9));
  const signature = signEd25519('change', concatBytes(fields, sealed), user.keys().signing.privateKey);
  await database.put([
    {
      _id: `change-${createHash('sha256').update(sealed).digest('hex')}`,
      ...{ type: 'change', format: 2, user: user.id, peer, counter: 9 },
      sealed: sealed.toString('base64'),
      signature: Buffer.from(signature).toString('base64'),
    },
  ]);
  const before = database.documents.size;
  const catalog = await openUserCatalog(user, database);
  assert.equal(catalog.status.readOnly, true);
  assert.deepEqual(paths(catalog), ['/file']);
  for (const work of [
    catalog.commit([sampleVersion('/x')]),
    catalog.makeFolder('/y'),
    catalog.move('/file', '/z'),
    catalog.remove('/file', { recursive: false, forever: false }),
    catalog.restore('/file'),
    catalog.emptyTrash(0),
  ]) {
    await assert.rejects(
      work,
      (error) => StorageError.is(error, 'UNSUPPORTED') && error.message.includes('newer version'),
    );
  }
  assert.equal(database.documents.size, before);
});

test('a long chain of changes is summed up, and the next unlock reads the sum', async () => {
  const database = new MemoryDocuments();
  const commits = Array.from({ length: STATE_AFTER_CHANGES }, (_, at) => (catalog: UserCatalog) => {
    return catalog.makeFolder(`/${String(at % 50)}/${String(at)}`);
  });
  await database.put(await written(...commits));
  const catalog = await openUserCatalog(user, database);
  const states = (): string[] => [...database.documents.keys()].filter((id) => id.startsWith('state-'));
  while (states().length === 0) await nextTurn();
  await catalog.close();
  assert.ok(states().length < 20, String(states().length));

  const read: string[] = [];
  const get = database.get.bind(database);
  database.get = (id) => {
    read.push(id);
    return get(id);
  };
  const again = await openUserCatalog(user, database);
  assert.deepEqual(paths(again), paths(await openUserCatalog(user, database)));
  assert.equal(again.list('/', true).length, STATE_AFTER_CHANGES + 50);
  assert.deepEqual(read, [], 'no change was read');
  await again.commit([sampleVersion('/new')]);
  assert.equal(again.status.isComplete, true);
});

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('a clock that is wrong by a day changes nothing: the later change wins', async () => {
  const database = new MemoryDocuments();
  const late = await openUserCatalog(user, database, { now: () => 10 * DAY_MS });
  await late.commit([sampleVersion('/file', [sampleExtent(sampleStripe(user.id).id, 10)])]);
  await late.close();
  const early = await openUserCatalog(user, database, { peer: samplePeer(2), now: () => 9 * DAY_MS });
  await early.commit([sampleVersion('/file', [sampleExtent(sampleStripe(user.id).id, 20)])]);
  assert.equal(early.stat('/file').bytes, 20);
  await early.move('/file', '/renamed');
  await early.close();
  const reader = await openUserCatalog(user, database, { peer: samplePeer(3) });
  assert.deepEqual(paths(reader), ['/renamed']);
});

test('conflicts of one day by one peer, and a file that is called like one', async () => {
  const database = new MemoryDocuments();
  for (let round = 0; round < 3; round++)
    await database.put(await written((one) => one.commit([sampleVersion('/cat.jpg')])));
  const origin = { changedMs: 1_700_000_000_000, peer: samplePeer(2), peerName: 'cellar' };
  const name = (number: number): string => `/${conflictName('cat.jpg', origin, number)}`;
  await database.put(await written((one) => one.commit([sampleVersion(name(1))])));
  const catalog = await openUserCatalog(user, database);
  assert.deepEqual(paths(catalog).sort(), ['/cat.jpg', name(1), name(2), name(3)].sort());
  const files = catalog.fileIds(paths(catalog));
  assert.equal(new Set(files).size, 4, 'each name is a file of its own');
});

test('a file of 1 TiB is in documents that everybody accepts', async () => {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  const { id } = sampleStripe(user.id);
  const extent = { ...sampleExtent(id, 2 ** 24), offset: 2 ** 25 };
  const version = sampleVersion(
    '/tebibyte',
    Array.from({ length: 65_536 }, () => extent),
  );
  await catalog.commit([version]);
  const sizes = [...database.documents.values()].map((document) => Buffer.byteLength(JSON.stringify(document)));
  assert.ok(Math.max(...sizes) <= MAX_DOCUMENT_BYTES, String(Math.max(...sizes)));
  assert.equal(sizes.length, 148);
  assert.equal((await catalog.manifest('/tebibyte')).bytes, 2 ** 40);

  // Sixteen times that needs documents that name documents.
  const longest = Array.from({ length: 150_000 }, () => extent);
  await catalog.commit([sampleVersion('/longest', longest)]);
  for (const document of database.documents.values()) {
    assert.ok(Buffer.byteLength(JSON.stringify(document)) <= MAX_DOCUMENT_BYTES);
  }
  assert.equal((await catalog.manifest('/longest')).extents.length, longest.length);
});

test('a peer may be called anything', async () => {
  const database = new MemoryDocuments();
  for (const [index, peerName] of ['', '\u4e2d'.repeat(260), 'a/b\n'].entries()) {
    const catalog = await openUserCatalog(user, database, { peer: samplePeer(index + 1), peerName });
    await catalog.commit([sampleVersion(`/${String(index)}`)]);
    await catalog.close();
  }
  assert.equal(paths(await openUserCatalog(user, database)).length, 3);
});

test('the longest names and paths fit documents too', async () => {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  const deepest = `/${Array.from({ length: 15 }, () => '\u4e2d'.repeat(84)).join('/')}`;
  const folders = Array.from({ length: 300 }, (_, at) =>
    sampleVersion(`${deepest}/${'\u4e2d'.repeat(60)}${String(at)}`),
  );
  await catalog.commit(folders);
  for (const { path } of folders.slice(0, 30)) await catalog.remove(path, { recursive: false, forever: false });
  for (const document of database.documents.values()) {
    assert.ok(Buffer.byteLength(JSON.stringify(document)) <= MAX_DOCUMENT_BYTES);
  }
});

test('folders of any size are moved, removed and restored by one document each', async () => {
  const database = new MemoryDocuments();
  const catalog = await openUserCatalog(user, database);
  await catalog.commit(
    Array.from({ length: 20_000 }, (_, at) => sampleVersion(`/big/${String(at % 9)}/${String(at)}`)),
  );
  const before = database.documents.size;
  await catalog.move('/big', '/moved');
  assert.equal(await catalog.remove('/moved', { recursive: true, forever: false }), 20_000);
  assert.equal(catalog.deleted().length, 1);
  await catalog.restore('/moved');
  assert.equal(database.documents.size, before + 3);
  assert.equal(catalog.list('/moved', true).length, 20_009);
});

test('what is written into a folder that was removed elsewhere survives, and is found', async () => {
  const start = await written((one) => one.commit([sampleVersion('/folder/file')]));
  const [here, there] = [new MemoryDocuments(), new MemoryDocuments()];
  await here.put(start);
  await there.put(start);
  const remover = await openUserCatalog(user, here, { now: () => DAY_MS });
  await remover.remove('/folder', { recursive: true, forever: false });
  const writer = await openUserCatalog(user, there, { peer: samplePeer(3), now: () => 20 * DAY_MS });
  await writer.commit([sampleVersion('/folder/new'), sampleVersion('/folder/file')]);
  await nextChange(remover, () => here.put([...there.documents.values()]));
  while (paths(remover).length === 0) await nextTurn();
  assert.deepEqual(paths(remover), ['/folder', '/folder/new'], 'what is new is where it was put');
  assert.deepEqual(
    remover.deleted().map(({ path, files }) => ({ path, files })),
    [{ path: '/folder', files: 1 }],
    'what was changed is in the trash, in its new version',
  );
  assert.equal(await remover.emptyTrash(19 * DAY_MS), 0, 'somebody has written into it since');
  assert.equal((await remover.restore('/folder')).path, '/folder (2)');
  assert.equal(remover.versions('/folder (2)/file').length, 2);
});

test('no space is given back while something is known to be missing', async () => {
  const stripe = sampleStripe(user.id).id;
  const documents = await written(
    (one) => one.commit([sampleVersion('/a', [sampleExtent(stripe)])]),
    (one) => one.commit([sampleVersion('/b', [sampleExtent(stripe)])]),
    (one) => one.commit([sampleVersion('/c')]),
  );
  const database = new MemoryDocuments();
  await database.put(documents.filter((_, index) => index !== 1));
  const catalog = await openUserCatalog(user, database);
  await assert.rejects(
    catalog.remove('/a', { recursive: false, forever: true }),
    (error) => StorageError.is(error, 'UNAVAILABLE') && error.message.includes('into the trash'),
  );
  assert.equal(await catalog.remove('/a', { recursive: false, forever: false }), 1);
  await assert.rejects(catalog.unreferenced([stripe]), (error) => StorageError.is(error, 'UNAVAILABLE'));
});
