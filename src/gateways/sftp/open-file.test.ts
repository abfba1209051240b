import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, test } from 'node:test';
import { join } from 'node:path';
import fc from 'fast-check';
import { MemoryFiles, SESSION } from '../../../test/sftp/memory-files.js';
import { StorageError } from '../../errors.js';
import { MAX_SFTP_FILE_BYTES, SFTP_MEMORY_FILE_BYTES } from '../../limits.js';
import { OpenFiles } from './open-files.js';
import type { OpenFile } from './open-file.js';

const MOST = 3 * SFTP_MEMORY_FILE_BYTES;
const session = (): typeof SESSION => SESSION;
const READ = { session, write: false, create: false, exclusive: false, truncate: false };
const WRITE = { ...READ, write: true, create: true };

let folder: string;
let stored: MemoryFiles;
let files: OpenFiles;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-open-'));
});
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  stored = new MemoryFiles();
  const spool = { folder, reserveBytes: 0, freeBytes: async () => 2 ** 40 };
  files = new OpenFiles({ catalog: stored.catalog, content: stored, spool });
});

async function close(file: OpenFile): Promise<void> {
  await file.commit();
  await files.release(file);
}

async function write(path: string, text: string): Promise<void> {
  const file = await files.open(path, { ...WRITE, truncate: true });
  await file.write(0, Buffer.from(text));
  await close(file);
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 260_000 }) }) },
  fc.record({ write: fc.nat(MOST), bytes: fc.integer({ min: 1, max: 260_000 }) }),
  fc.record({ truncate: fc.nat(MOST) }),
  fc.record({ read: fc.nat(MOST), bytes: fc.nat(260_000) }),
  fc.constant({ sync: true }),
);

test('whatever is done with a file, in memory, in a stream or in a spool, is what is stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 24 }), async (steps) => {
      const file = await files.open('/file', { ...WRITE, truncate: true });
      let model = Buffer.alloc(0);
      const writing = async (offset: number, bytes: number): Promise<void> => {
        const data = randomBytes(bytes);
        await file.write(offset, Buffer.from(data));
        if (offset + bytes > model.length) {
          model = Buffer.concat([model, Buffer.alloc(offset + bytes - model.length)]);
        }
        data.copy(model, offset);
      };
      for (const each of steps) {
        if ('append' in each) await writing(model.length, each.append);
        else if ('write' in each) await writing(each.write, each.bytes);
        else if ('sync' in each) await file.commit();
        else if ('truncate' in each) {
          await file.truncate(each.truncate);
          const grown = Buffer.alloc(Math.max(each.truncate - model.length, 0));
          model = Buffer.concat([model.subarray(0, each.truncate), grown]);
        } else {
          const got = Buffer.concat(await file.read(each.read, each.bytes));
          assert.ok(got.equals(model.subarray(each.read, each.read + each.bytes)));
        }
        assert.equal(file.entry.bytes, model.length);
      }
      await close(file);
      assert.ok(stored.files.get('/file')?.bytes.equals(model));
    }),
    { numRuns: 40 },
  );
});

test('a file that is written from its beginning to its end is put once', async () => {
  const file = await files.open('/large', WRITE);
  const bytes = randomBytes(5 * SFTP_MEMORY_FILE_BYTES);
  for (let at = 0; at < bytes.length; at += 250_000) await file.write(at, bytes.subarray(at, at + 250_000));
  await close(file);
  assert.deepEqual([stored.puts, stored.readBytes], [1, 0]);
  assert.ok(stored.files.get('/large')?.bytes.equals(bytes));
});

test('handles of one file share what is written, and none sees a file that is not there', async () => {
  await assert.rejects(files.open('/shared', READ), (error) => StorageError.is(error, 'NOT_FOUND'));
  await assert.rejects(files.open('/none/file', WRITE), (error) => StorageError.is(error, 'NOT_FOUND'));
  const writer = await files.open('/shared', WRITE);
  await writer.write(0, Buffer.from('one'));
  const reader = await files.open('/shared', READ);
  assert.equal(Buffer.concat(await reader.read(0, 10)).toString(), 'one');
  assert.equal(files.at(SESSION, '/shared')?.entry.bytes, 3);
  assert.deepEqual([...files.in(SESSION, '/').keys()], ['shared']);
  await assert.rejects(files.open('/shared', { ...WRITE, exclusive: true }), (error) =>
    StorageError.is(error, 'ALREADY_EXISTS'),
  );
  await close(writer);
  assert.equal(files.at(SESSION, '/shared'), undefined);
  assert.equal(stored.text('/shared'), 'one');
  await files.release(reader);
});

test('what nobody closed is given up', async () => {
  await write('/kept', 'before');
  for (const bytes of [5, 4 * SFTP_MEMORY_FILE_BYTES]) {
    const file = await files.open('/kept', { ...WRITE, truncate: true });
    for (let at = 0; at < bytes; at += 250_000) await file.write(at, Buffer.alloc(Math.min(250_000, bytes)));
    await files.release(file);
    assert.equal(stored.text('/kept'), 'before');
  }
});

test('a put that fails is told by the close, and by each write after it', async () => {
  stored.failure = new StorageError('TOO_FEW_PEERS', 'too few');
  const small = await files.open('/small', WRITE);
  await small.write(0, Buffer.from('x'));
  await assert.rejects(small.commit(), stored.failure);
  stored.failure = undefined;
  // What is still there can be tried again.
  await close(small);
  assert.equal(stored.text('/small'), 'x');
  const failure = new StorageError('NO_SPACE', 'full');
  stored.failure = failure;
  const large = await files.open('/large', WRITE);
  const part = Buffer.alloc(250_000);
  await assert.rejects(async () => {
    for (let at = 0; at < 40; at++) await large.write(at * part.length, part);
  }, failure);
  stored.failure = undefined;
  await assert.rejects(large.write(0, part), failure);
  await assert.rejects(large.commit(), failure);
  await files.release(large);
  assert.equal(stored.files.has('/large'), false);
});

test('a disk that is full is told of by the write and by the close, and the file stays as it was', async () => {
  const full = { folder, reserveBytes: 1, freeBytes: async () => 0 };
  files = new OpenFiles({ catalog: stored.catalog, content: stored, spool: full });
  const before = 'x'.repeat(2 * SFTP_MEMORY_FILE_BYTES);
  const source = (async function* () {
    yield Buffer.from(before);
  })();
  await stored.put(SESSION, { path: '/large', modifiedMs: 1, mode: 0o644, source }, new AbortController().signal);
  const file = await files.open('/large', WRITE);
  const filling = async (): Promise<void> => {
    for (let at = 0; at < before.length; at += 100_000) await file.write(at, Buffer.from('y'));
  };
  await assert.rejects(filling(), (error) => StorageError.is(error, 'NO_SPACE'));
  await assert.rejects(file.write(0, Buffer.from('y')), (error) => StorageError.is(error, 'NO_SPACE'));
  await assert.rejects(file.commit(), (error) => StorageError.is(error, 'NO_SPACE'));
  await files.release(file);
  assert.equal(stored.text('/large'), before);
  await write('/large', 'small files need no disk');
});

test('times and modes are those that were set, or of the last writing', async () => {
  const file = await files.open('/dated', { ...WRITE, mode: 0o600 });
  await file.write(0, Buffer.from('x'));
  await file.set({ modifiedMs: 5000 });
  await file.write(1, Buffer.from('y'));
  await close(file);
  assert.deepEqual([stored.files.get('/dated')?.modifiedMs, stored.files.get('/dated')?.mode], [5000, 0o600]);
  const again = await files.open('/dated', WRITE);
  await again.set({ mode: 0o640 });
  assert.equal(stored.files.get('/dated')?.mode, 0o640);
  await again.write(2, Buffer.from('z'));
  await close(again);
  assert.ok((stored.files.get('/dated')?.modifiedMs ?? 0) > 5000);
  assert.deepEqual([stored.text('/dated'), stored.files.get('/dated')?.mode], ['xyz', 0o640]);
});

test('who has a removed file open goes on, and nothing of it is stored', async () => {
  const file = await files.open('/gone', WRITE);
  await file.write(0, Buffer.from('temporary'));
  assert.equal(await files.detach(SESSION, '/gone'), true);
  await file.write(0, Buffer.from('T'));
  assert.equal(Buffer.concat(await file.read(0, 99)).toString(), 'Temporary');
  await write('/gone', 'another');
  await close(file);
  assert.equal(stored.text('/gone'), 'another');
  assert.equal(await files.detach(SESSION, '/gone'), false);
});

test('a version that came from elsewhere is what the next one reads', async () => {
  await write('/both', 'first');
  const old = await files.open('/both', READ);
  const source = (async function* () {
    yield Buffer.from('second');
  })();
  await stored.put(SESSION, { path: '/both', modifiedMs: 1, mode: 0o644, source }, new AbortController().signal);
  const fresh = await files.open('/both', READ);
  assert.equal(Buffer.concat(await old.read(0, 99)).toString(), 'first');
  assert.equal(Buffer.concat(await fresh.read(0, 99)).toString(), 'second');
  await files.release(old);
  await files.release(fresh);
});

test('what is below a path that is renamed goes with it', async () => {
  await write('/file', 'x');
  const [first] = stored.files.values();
  assert.ok(first !== undefined);
  stored.files.clear();
  stored.files.set('/a/file', first);
  const file = await files.open('/a/file', WRITE);
  await file.write(1, Buffer.from('y'));
  await files.settle(SESSION, '/a');
  assert.equal(stored.text('/a/file'), 'xy');
  const moved = stored.files.get('/a/file');
  if (moved !== undefined) stored.files.set('/b/file', moved);
  stored.files.delete('/a/file');
  files.moved(SESSION, '/a', '/b');
  await file.write(2, Buffer.from('z'));
  await close(file);
  assert.deepEqual([...stored.files.keys()], ['/b/file']);
  assert.equal(stored.text('/b/file'), 'xyz');
});

test('a length that would be put as zeros for ever is refused, and loses nothing', async () => {
  const file = await files.open('/file', WRITE);
  await file.write(0, Buffer.from('text'));
  await assert.rejects(file.truncate(MAX_SFTP_FILE_BYTES + 1), { code: 'LIMIT_EXCEEDED' });
  await close(file);
  const again = await files.open('/file', READ);
  assert.equal(Buffer.concat(await again.read(0, 10)).toString(), 'text');
  await files.release(again);
  const far = await files.open('/far', WRITE);
  await assert.rejects(far.write(MAX_SFTP_FILE_BYTES, Buffer.from('x')), { code: 'LIMIT_EXCEEDED' });
  await assert.rejects(far.commit(), { code: 'LIMIT_EXCEEDED' });
  await files.release(far);
});
