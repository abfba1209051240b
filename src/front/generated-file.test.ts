import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { StorageError } from '../errors.js';
import { stamp, writeGenerated } from './generated-file.js';

describe('a generated file', () => {
  let folder: string, path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-generated-'));
    path = join(folder, 'nginx.conf');
  });
  after(() => rm(folder, { recursive: true }));

  it('is written, for its owner alone, and written anew when it would be another', async () => {
    await writeGenerated(path, 'one;\n');
    assert.equal(await readFile(path, 'utf8'), stamp('one;\n'));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await writeGenerated(path, 'two;\n');
    assert.equal(await readFile(path, 'utf8'), stamp('two;\n'));
  });

  it('is left as it is when somebody has edited it, or when it never was ours', async () => {
    await writeGenerated(path, 'one;\n');
    await appendFile(path, 'mine;\n');
    const edited = await readFile(path, 'utf8');
    const refused = (error: unknown): boolean =>
      StorageError.is(error, 'CONFLICT') && error.message.includes(path) && error.message.includes('Move it away');
    await assert.rejects(writeGenerated(path, 'two;\n'), refused);
    await assert.rejects(writeGenerated(path, 'one;\n'), refused);
    assert.equal(await readFile(path, 'utf8'), edited);
    await writeFile(path, 'server {}\n');
    await assert.rejects(writeGenerated(path, 'two;\n'), refused);
    assert.equal(await readFile(path, 'utf8'), 'server {}\n');
  });
});
