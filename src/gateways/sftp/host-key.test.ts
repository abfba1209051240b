import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StorageError } from '../../errors.js';
import { readHostKey } from './host-key.js';

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

test('what is no key is left as it is', async () => {
  await writeFile(path, 'no key');
  await assert.rejects(readHostKey(path), (error) => StorageError.is(error, 'CORRUPT'));
  assert.equal(await readFile(path, 'utf8'), 'no key');
});
