import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StorageError } from '../errors.js';
import { MAX_IDLE_DATABASES } from '../limits.js';
import { silentLogger } from '../log.js';
import { LevelHost } from './level-host.js';

let directory: string;
let host: LevelHost;

function openHost(): Promise<LevelHost> {
  return LevelHost.open({ directory, logger: silentLogger() });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-host-'));
  host = await openHost();
});

afterEach(async () => {
  await host.close();
  await rm(directory, { recursive: true });
});

test('whoever opens a name shares its database, which outlives the first that closes it', async () => {
  const [one, two] = await Promise.all([host.open('network'), host.open('network')]);
  await one.put([{ _id: 'a' }]);
  await one.close();
  await one.close();
  assert.ok(await two.get('a'));
  await two.put([{ _id: 'b' }]);
  await two.close();
  assert.ok(await (await host.open('network')).get('b'));
});

test('a host that is closed finds everything when it is opened again', async () => {
  const database = await host.open('network');
  await database.put([{ _id: 'a' }]);
  const since = await database.sequence();
  await host.close();
  await assert.rejects(host.open('network'), (error) => StorageError.is(error, 'UNAVAILABLE'));
  await assert.rejects(database.get('a'), (error) => StorageError.is(error, 'UNAVAILABLE'));
  host = await openHost();
  const again = await host.open('network');
  assert.ok(await again.get('a'));
  assert.equal(await again.sequence(), since);
  assert.deepEqual(host.damaged(), []);
});

test('databases that nobody uses are closed when there are many, and opened again when they are used', async () => {
  const names = Array.from({ length: MAX_IDLE_DATABASES + 3 }, (_, index) => `database-${String(index)}`);
  const kept = await host.open('kept');
  for (const name of names) {
    const database = await host.open(name);
    await database.put([{ _id: name }]);
    await database.close();
  }
  await kept.put([{ _id: 'still open' }]);
  for (const name of names) {
    const database = await host.open(name);
    assert.ok(await database.get(name));
    await database.close();
  }
  assert.deepEqual(await host.names(), ['kept', ...names].sort());
});

test('databases are dropped while they are opened, and made anew', async () => {
  await Promise.all([host.open('a'), host.drop('a'), host.open('a'), host.drop('a'), host.open('b')]);
  await host.drop('never');
  assert.ok((await host.names()).includes('b'));
  const database = await host.open('a');
  await database.put([{ _id: 'x' }]);
  assert.ok(await database.get('x'));
});

test('what a drop left behind is swept away, and what is no database is not one', async () => {
  await mkdir(join(directory, 'user-x.dropped-2026-11-22T00:00:00.000Z'));
  await mkdir(join(directory, 'user-y.damaged-2026-11-22T00:00:00.000Z'));
  await host.close();
  host = await openHost();
  assert.deepEqual(await readdir(directory), ['user-y.damaged-2026-11-22T00:00:00.000Z']);
  assert.deepEqual(await host.names(), []);
  for (const name of ['', 'A', '_users', 'a/b', '..', 'a.b', `a${'b'.repeat(100)}`]) {
    await assert.rejects(host.open(name), (error) => StorageError.is(error, 'INVALID_ARGUMENT'));
    assert.equal(await host.has(name), false);
  }
});

test('who only copies does not bring a deleted database back; who opens it does', async () => {
  await (await host.open('network')).put([{ _id: 'a' }]);
  const before = await host.acquireUnlessDropped('network');
  assert.ok(before !== undefined);
  const dropping = host.drop('network');
  assert.equal(await host.acquireUnlessDropped('network'), undefined);
  await dropping;
  assert.equal(await host.acquireUnlessDropped('network'), undefined);
  assert.deepEqual(await host.names(), []);
  await host.open('network');
  assert.ok(await host.acquireUnlessDropped('network'));
});

test('who looks for a database does not bring back one that is being deleted', async () => {
  await (await host.open('network')).put([{ _id: 'a' }]);
  const dropping = host.drop('network');
  assert.deepEqual(await Promise.all([host.has('network'), host.acquireExisting('network')]), [false, undefined]);
  await dropping;
  assert.deepEqual(await host.names(), []);
  await host.open('network');
  await Promise.all([host.acquireExisting('network'), host.drop('network')]);
  assert.deepEqual(await host.names(), []);
});
