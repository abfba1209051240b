import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StorageError } from '../../errors.js';
import { SPOOL_BLOCK_BYTES } from '../../limits.js';
import { clearSpools, Spool, type SpoolOptions } from './spool.js';

let options: SpoolOptions;
let freeBytes: number;

beforeEach(async () => {
  freeBytes = 2 ** 40;
  const folder = join(await mkdtemp(join(tmpdir(), 'shoal-spool-')), 'spool');
  options = { folder, reserveBytes: 1000, freeBytes: async () => freeBytes };
  await clearSpools(folder);
});

afterEach(() => rm(join(options.folder, '..'), { recursive: true, force: true }));

test('what was written in any order comes back, the last writing of each', async () => {
  await using spool = await Spool.open(options);
  const blocks = new Map([5, 0, 900, 5].map((index) => [index, randomBytes(SPOOL_BLOCK_BYTES)]));
  for (const index of [5, 0, 900]) await spool.write(index, randomBytes(SPOOL_BLOCK_BYTES));
  for (const [index, block] of blocks) await spool.write(index, block);
  for (const [index, block] of blocks) assert.deepEqual(await spool.read(index), block);
});

test('nothing has a name, and nothing can be read without the key', async () => {
  await using spool = await Spool.open(options);
  const secret = Buffer.alloc(SPOOL_BLOCK_BYTES, 'secret');
  await spool.write(0, secret);
  assert.deepEqual(await readdir(options.folder), []);
  assert.equal((await stat(options.folder)).mode & 0o777, 0o700);
  const [raw] = await spoolTexts();
  assert.ok(raw !== undefined && raw.length > SPOOL_BLOCK_BYTES && !raw.includes('secret'));
});

/** Of the open files of this process that were made in the folder. */
async function spoolTexts(): Promise<Buffer[]> {
  const { readlink } = await import('node:fs/promises');
  const texts: Buffer[] = [];
  for (const descriptor of await readdir('/proc/self/fd')) {
    const path = `/proc/self/fd/${descriptor}`;
    const target = await readlink(path).catch(() => '');
    if (target.startsWith(options.folder)) texts.push(await readFile(path));
  }
  return texts;
}

test('a disk that alters what was written is found out', async () => {
  await using spool = await Spool.open(options);
  await spool.write(0, Buffer.alloc(SPOOL_BLOCK_BYTES, 1));
  await spool.write(1, Buffer.alloc(SPOOL_BLOCK_BYTES, 2));
  const { readlink } = await import('node:fs/promises');
  for (const descriptor of await readdir('/proc/self/fd')) {
    const path = `/proc/self/fd/${descriptor}`;
    if (!(await readlink(path).catch(() => '')).startsWith(options.folder)) continue;
    const file = await open(path, 'r+');
    await file.write(Buffer.from([7]), 0, 1, 1000);
    await file.close();
  }
  await assert.rejects(spool.read(0), (error) => StorageError.is(error, 'CORRUPT'));
  assert.equal((await spool.read(1))[0], 2);
  await assert.rejects(spool.read(7), (error) => StorageError.is(error, 'CORRUPT'));
});

test('a disk that is nearly full is left alone', async () => {
  freeBytes = 17_000_000;
  await using spool = await Spool.open(options);
  const block = Buffer.alloc(SPOOL_BLOCK_BYTES);
  await spool.write(0, block);
  freeBytes = 1_000_000;
  await assert.rejects(
    async () => {
      for (let index = 1; index < 1000; index++) await spool.write(index, block);
    },
    (error) => StorageError.is(error, 'NO_SPACE'),
  );
  assert.deepEqual(await spool.read(0), block);
});

test('what a killed process left behind goes', async () => {
  await writeFile(join(options.folder, 'left'), 'x');
  await clearSpools(options.folder);
  assert.deepEqual(await readdir(options.folder), []);
});
