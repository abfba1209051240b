import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StorageError } from '../errors.js';
import { LevelDatabase } from './level-database.js';

test('a write that ran beside one that failed is not acknowledged: it may lie behind the tear', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-level-'));
  const database = await LevelDatabase.open(join(directory, 'torn'));
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const beside = database.write(async (pouch) => {
    await gate;
    return pouch.bulkDocs([{ _id: 'beside' }]);
  });
  const full = new Error('IO error: 000003.log: No space left on device');
  await assert.rejects(
    database.write(() => Promise.reject(full)),
    (error) => StorageError.is(error, 'NO_SPACE'),
  );
  release();
  await assert.rejects(beside, (error) => StorageError.is(error, 'UNAVAILABLE'));
  await database.write((pouch) => pouch.bulkDocs([{ _id: 'later' }]));
  await database.close();
  await rm(directory, { recursive: true });
});

test('what could not be opened anew is opened for whoever reads next', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-level-'));
  const place = join(directory, 'full');
  const database = await LevelDatabase.open(place);
  await database.write((pouch) => pouch.bulkDocs([{ _id: 'a' }]));
  const read = (): Promise<unknown> => database.read('Reading', (pouch) => pouch.get('a', {}));
  await rename(join(place, 'CURRENT'), join(place, 'away'));
  await assert.rejects(database.write(() => Promise.reject(new Error('IO error: No space left on device'))));
  await assert.rejects(read(), (error) => StorageError.is(error, 'CORRUPT'));
  await rename(join(place, 'away'), join(place, 'CURRENT'));
  assert.ok(await read());
  await database.close();
  await rm(directory, { recursive: true });
});
