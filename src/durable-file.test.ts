import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readIfThere, writeDurably } from './durable-file.js';

describe('a durable file', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-durable-file-'));
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('takes the place of the one before, is only for its owner, and leaves nothing beside it', async () => {
    const path = join(folder, 'key');
    await writeDurably(path, 'first, and longer');
    await writeDurably(path, 'second');
    assert.equal(await readFile(path, 'utf8'), 'second');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['key']);
  });

  it('says which one could not be written, or read', async () => {
    const path = join(folder, 'absent', 'key');
    await assert.rejects(writeDurably(path, 'x'), { code: 'NOT_FOUND', message: /absent/ });
    assert.equal(await readIfThere(path), undefined);
    await assert.rejects(readIfThere(folder), /Reading/);
  });
});
