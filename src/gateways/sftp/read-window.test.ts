import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { MemoryFiles, SESSION } from '../../../test/sftp/memory-files.js';
import { MAX_SFTP_READERS, SFTP_RANDOM_READ_BYTES, SFTP_READ_REACH_BYTES } from '../../limits.js';
import { ReadWindow, ReadWindows } from './read-window.js';

const BYTES = 6_000_000;
let files: MemoryFiles;
let bytes: Buffer;

beforeEach(async () => {
  files = new MemoryFiles();
  bytes = randomBytes(BYTES);
  const source = (async function* () {
    yield bytes;
  })();
  await files.put(SESSION, { path: '/file', modifiedMs: 1, mode: 0o644, source }, new AbortController().signal);
});

async function open(windows = new ReadWindows()): Promise<ReadWindow> {
  return new ReadWindow(await files.open(SESSION, '/file'), { session: () => SESSION, windows });
}

async function reads(window: ReadWindow, offset: number, length: number): Promise<void> {
  const got = Buffer.concat(await window.read(offset, length));
  assert.ok(got.equals(bytes.subarray(offset, offset + length)), `${String(offset)} + ${String(length)}`);
}

test('any reads, at once and in any order, give what is there', async () => {
  const read = fc.tuple(fc.nat(BYTES + 1000), fc.integer({ min: 1, max: 260_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(read, { maxLength: 20 }), async (asked) => {
      const window = await open();
      await Promise.all(asked.map(([offset, length]) => reads(window, offset, length)));
      await window.close();
    }),
    { numRuns: 30 },
  );
});

test('reading in turn, some requests ahead of others, fetches nothing twice', async () => {
  const window = await open();
  const step = 32_768;
  for (let at = 0; at < BYTES; at += 8 * step) {
    // The second half of each eight comes first, once it is clear that there are some in turn.
    const order = at === 0 ? [0, 1, 2, 3, 4, 5, 6, 7] : [4, 5, 6, 7, 0, 1, 2, 3];
    await Promise.all(order.map((index) => reads(window, at + index * step, step)));
  }
  assert.equal(files.readBytes, BYTES);
  await window.close();
});

test('a jump fetches little, until reading goes on there', async () => {
  const window = await open();
  await reads(window, 3_000_000, 4096);
  assert.ok(files.readBytes <= SFTP_RANDOM_READ_BYTES);
  await reads(window, 3_004_096, 4096);
  assert.ok(files.readBytes <= SFTP_RANDOM_READ_BYTES);
  for (let at = 3_008_192; at < BYTES; at += 100_000) await reads(window, at, 100_000);
  assert.ok(files.readBytes < BYTES - 2_900_000);
  const before = files.readBytes;
  await reads(window, 3_500_000 - SFTP_READ_REACH_BYTES, 10);
  assert.ok(files.readBytes - before <= SFTP_RANDOM_READ_BYTES);
  await window.close();
});

test('behind the end there is nothing', async () => {
  const window = await open();
  assert.deepEqual(await window.read(BYTES, 10), []);
  assert.equal(Buffer.concat(await window.read(BYTES - 3, 10)).length, 3);
});

test('of very many files that are read at once the longest unused gives way, and goes on later', async () => {
  const windows = new ReadWindows();
  const all = await Promise.all(Array.from({ length: MAX_SFTP_READERS + 20 }, () => open(windows)));
  for (const round of [0, 1]) for (const window of all) await reads(window, round * 1000, 1000);
  await Promise.all(all.map((window) => reads(window, 2000, 1000)));
  for (const window of all) await window.close();
});
