import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import ssh2 from 'ssh2';
import { StorageError } from '../../errors.js';
import { readHostKey, type KeyMaker } from './host-key.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-host-key-'));
  path = join(folder, 'key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('is made once, for its owner only', async () => {
  const made = await readHostKey(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.match(await readFile(`${path}.pub`, 'utf8'), /^ssh-ed25519 \S+ shoal\n$/);
  await chmod(path, 0o644);
  assert.equal(await readHostKey(path), made);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('is made anew where one that was made cannot be read', async () => {
  const unreadable = { public: 'ssh-ed25519 rotten', private: 'rotten' };
  const readable = ssh2.utils.generateKeyPairSync('ed25519');
  const made = [unreadable, readable];
  const make: KeyMaker = () => made.shift() ?? unreadable;
  assert.equal(await readHostKey(path, make), readable.private);
  assert.deepEqual(made, []);
  assert.equal(await readFile(`${path}.pub`, 'utf8'), `${readable.public}\n`);
  await rm(path);
  await assert.rejects(readHostKey(path, make), (error) => StorageError.is(error, 'INTERNAL'));
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

test('what is no key is left as it is', async () => {
  await writeFile(path, 'no key');
  await assert.rejects(readHostKey(path), (error) => StorageError.is(error, 'CORRUPT'));
  assert.equal(await readFile(path, 'utf8'), 'no key');
});
