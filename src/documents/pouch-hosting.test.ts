import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StorageError, type ErrorCode } from '../errors.js';
import { silentLogger } from '../log.js';
import { rot } from '../../test/contract/leveldb-rot.js';
import { HttpHost } from './http-host.js';
import { PouchHosting } from './pouch-hosting.js';

let directory: string;
let client: HttpHost;
let hosting: PouchHosting | undefined;

function address(): { socket: string; secretFile: string } {
  return { socket: join(directory, 'pouchdb.sock'), secretFile: join(directory, 'pouchdb.secret') };
}

async function start(): Promise<PouchHosting> {
  hosting = await PouchHosting.open({
    ...address(),
    directory: join(directory, 'databases'),
    logger: silentLogger(),
    status: () => ({ hosts: 2 }),
  });
  return hosting;
}

async function stop(): Promise<void> {
  await hosting?.close();
  hosting = undefined;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-hosting-'));
  client = new HttpHost(address());
});

afterEach(async () => {
  await client.close();
  await stop();
  await rm(directory, { recursive: true });
});

function fails(work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(StorageError.is(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('a client says what to start while nobody answers, and goes on when somebody does', async () => {
  await fails(client.names(), 'UNAVAILABLE', /does not answer at .*pouchdb\.sock: start it with `shoal serve pouchdb`/);
  await start();
  const database = await client.open('network');
  await database.put([{ _id: 'a', text: 'kept' }]);
  assert.deepEqual(await client.names(), ['network']);
  await stop();
  await fails(database.get('a'), 'UNAVAILABLE', /shoal serve pouchdb/);
  await start();
  assert.deepEqual(await database.get('a'), { _id: 'a', text: 'kept' });
  await database.put([{ _id: 'b' }]);
});

test('a hosting that ends leaves the socket of its successor alone', async () => {
  const former = await start();
  // Databases that take long to close.
  const gate = new AbortController();
  const close = former.host.close.bind(former.host);
  former.host.close = async () => {
    await once(gate.signal, 'abort');
    await close();
  };
  const ending = former.close();
  while (existsSync(address().socket)) await new Promise(setImmediate);
  hosting = await PouchHosting.open({ ...address(), directory: join(directory, 'others'), logger: silentLogger() });
  gate.abort();
  await ending;
  assert.deepEqual(await client.names(), []);
});

test('a feed of changes outlives a restart', async () => {
  await start();
  const database = await client.open('network');
  const ending = new AbortController();
  const told: string[] = [];
  const started = await database.sequence();
  await database.put([{ _id: 'a' }]);
  for await (const ids of database.changes({ since: started, signal: ending.signal })) {
    told.push(...ids);
    if (told.includes('b')) ending.abort();
    else {
      await stop();
      const { host } = await start();
      await host.open('network').then((documents) => documents.put([{ _id: 'b' }]));
    }
  }
  assert.deepEqual(told, ['a', 'b']);
});

test('a database that is dropped is gone, for whoever has it open too', async () => {
  const { host } = await start();
  const database = await client.open('user-x-1');
  const here = await host.open('user-x-1');
  await database.put([{ _id: 'a' }]);
  await client.drop('user-x-1');
  await client.drop('user-x-1');
  assert.deepEqual(await client.names(), []);
  await fails(database.get('a'), 'NOT_FOUND', /Database does not exist/);
  await fails(here.get('a'), 'UNAVAILABLE', /closed/);
  const again = await client.open('user-x-1');
  assert.equal(await again.get('a'), undefined);
  assert.deepEqual(await readdir(join(directory, 'databases')), ['user-x-1']);
  await fails(client.open('../x'), 'INVALID_ARGUMENT', /lower-case/);
});

test('a damaged database is put aside and told of', async () => {
  await start();
  const database = await client.open('stripes');
  await database.put([{ _id: 'a' }]);
  await stop();
  await writeFile(join(directory, 'databases', 'stripes', 'CURRENT'), 'garbage');
  await start();
  assert.equal(await database.get('a'), undefined);
  await database.put([{ _id: 'b' }]);
  const status = await client.status();
  assert.equal(status['hosts'], 2);
  assert.deepEqual(
    status.damaged.map(({ name }) => name),
    ['stripes'],
  );
  const [damaged] = status.damaged;
  assert.match(damaged?.movedTo ?? '', /stripes\.damaged-\d{4}-\d\d-\d\dT/);
  assert.equal(await readFile(join(damaged?.movedTo ?? '', 'CURRENT'), 'utf8'), 'garbage');
  assert.deepEqual(await client.names(), ['stripes']);
});

test('only who has the secret of the home is answered', async () => {
  await start();
  const { secretFile, socket } = address();
  assert.equal((await stat(secretFile)).mode & 0o777, 0o600);
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  const ask = (authorization: string | undefined): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      const asking = request({ socketPath: socket, path: '/_all_dbs', headers }, (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      });
      asking.once('error', reject);
      asking.end();
    });
  const secret = (await readFile(secretFile, 'utf8')).trim();
  assert.equal(await ask(`Bearer ${secret}`), 200);
  for (const wrong of [undefined, '', secret, `Bearer ${secret}x`, `Bearer ${'0'.repeat(64)}`]) {
    assert.equal(await ask(wrong), 401);
  }
});

test('a secret that was made anew is read again; another file is no secret', async () => {
  await start();
  await client.names();
  await stop();
  await rm(address().secretFile);
  await start();
  assert.deepEqual(await client.names(), []);
  await stop();
  await writeFile(address().secretFile, 'short');
  await fails(start(), 'CORRUPT', /Remove it/);
});

test('one process serves a home', async () => {
  await start();
  const second = PouchHosting.open({ ...address(), directory: join(directory, 'others'), logger: silentLogger() });
  await fails(second, 'CONFLICT', /serves .* already/);
  assert.deepEqual(await client.names(), []);
});

test('what is too large is refused whole', async () => {
  await start();
  const database = await client.open('network');
  await fails(database.put([{ _id: 'a' }, { _id: 'b', text: 'x'.repeat(70_000) }]), 'PERMISSION_DENIED', /65536 bytes/);
  assert.equal(await database.get('a'), undefined);
});

test('a document that rots is told from a missing one, and hides no other', async () => {
  await start();
  const database = await client.open('network');
  await database.put(['a', 'b', 'c', 'd'].map((name) => ({ _id: name, text: `text of ${name}` })));
  await stop();
  const place = join(directory, 'databases', 'network');
  assert.equal(await rot(place, (key, value) => key.includes('by-sequence') && value.includes('text of b')), 1);
  assert.equal(await rot(place, (key) => key.includes('document-store') && key.endsWith('c')), 1);
  await start();
  await fails(database.get('b'), 'CORRUPT', /damaged/);
  await fails(database.leaves('b'), 'CORRUPT', /damaged/);
  const listed = new Map<string, boolean>();
  for await (const page of database.list('')) {
    for (const { id, document } of page) listed.set(id, document !== undefined);
  }
  assert.deepEqual(Object.fromEntries(listed), { '?': false, a: true, b: false, d: true });
});
