import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { accessSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../needs.js';
import { type Mount, SftpStage } from './stage.js';

const LARGE_BYTES = 16 * 1024 * 1024 + 4_321;

/** Containers have it only when they are told to. */
function needsFuse(): { skip?: string } {
  const programs = needs('sshfs', 'fusermount3', 'mountpoint', 'ssh-keygen', 'rsync');
  if (programs.skip !== undefined) return programs;
  try {
    accessSync('/dev/fuse');
    return {};
  } catch {
    if (process.env['CI'] === 'true') throw new Error('CI=true demands /dev/fuse.');
    return { skip: '/dev/fuse is not there' };
  }
}

describe('sshfs', needsFuse(), () => {
  let stage: SftpStage;
  let mount: Mount;
  before(async () => {
    stage = await SftpStage.open();
    mount = await stage.mount('mount');
  });
  after(async () => {
    await mount[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  const at = (name: string): string => join(mount.path, name);
  const text = (name: string): Promise<string> => readFile(at(name), 'utf8');

  test('cp -r, diff, mv and rm -r of a tree', async () => {
    await stage.good('sh', [
      '-c',
      'mkdir -p tree/deep/er && head -c 300000 /dev/urandom > tree/one && echo two > "tree/deep/two words" && : > tree/deep/er/empty',
    ]);
    await stage.good('cp', ['-r', 'tree', at('tree')]);
    await stage.good('diff', ['-r', 'tree', at('tree')]);
    await rename(at('tree/deep'), at('tree/moved'));
    assert.deepEqual((await readdir(at('tree'))).sort(), ['moved', 'one']);
    assert.equal(await text('tree/moved/two words'), 'two\n');
    await stage.good('rm', ['-r', at('tree')]);
    assert.deepEqual(await readdir(mount.path), []);
  });

  test('editing in place, appending and cutting a small file', async () => {
    await writeFile(at('small'), 'hello world\n');
    await appendFile(at('small'), 'and more\n');
    assert.equal(await text('small'), 'hello world\nand more\n');
    const file = await open(at('small'), 'r+');
    await file.write('HELLO', 0);
    await file.sync();
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, 0);
    assert.equal(buffer.toString(), 'HELLO');
    await file.close();
    await truncate(at('small'), 5);
    assert.equal(await text('small'), 'HELLO');
    await stage.good('sed', ['-i', 's/HELLO/bye/', at('small')]);
    assert.equal((await text('small')).trimEnd(), 'bye');
    await utimes(at('small'), 1_500_000_000, 1_500_000_000);
    assert.equal((await stat(at('small'))).mtimeMs, 1_500_000_000_000);
    await assert.rejects(open(at('small'), 'wx'));
    const { engine, session } = stage.planet;
    // Each edit is a version: also the one that sed made by renaming over it.
    assert.ok((await engine.catalog.versions(session, '/small')).length >= 5);
  });

  test('writing in the middle of a large file, and reading here and there', async () => {
    const bytes = randomBytes(LARGE_BYTES);
    await writeFile(at('large'), bytes);
    const { engine, session } = stage.planet;
    assert.equal((await stat(at('large'))).size, LARGE_BYTES);
    const file = await open(at('large'), 'r+');
    for (const offset of [10_000_000, 0, 5_000_003, LARGE_BYTES - 2, 10_000_002]) {
      const data = randomBytes(100_001);
      await file.write(data, 0, data.length, offset);
      if (offset + data.length <= bytes.length) data.copy(bytes, offset);
      else data.copy(bytes, offset, 0, bytes.length - offset);
    }
    const { buffer } = await file.read(Buffer.alloc(200_000), 0, 200_000, 4_990_000);
    assert.ok(buffer.equals(bytes.subarray(4_990_000, 5_190_000)));
    await file.truncate(LARGE_BYTES);
    await file.close();
    assert.ok((await readFile(at('large'))).equals(bytes));
    await truncate(at('large'), 6_000_000);
    await truncate(at('large'), 7_000_000);
    const cut = await readFile(at('large'));
    assert.ok(cut.equals(Buffer.concat([bytes.subarray(0, 6_000_000), Buffer.alloc(1_000_000)])));
    assert.equal((await engine.catalog.stat(session, '/large')).bytes, 7_000_000);
    await rm(at('large'));
  });

  test('rsync copies, finds that nothing has changed, changes in place and removes', async () => {
    const stats = async (...args: string[]): Promise<number> => {
      const told = await stage.good('rsync', ['-a', '--stats', ...args]);
      return Number(/files transferred: (\d+)/.exec(told)?.[1]);
    };
    await stage.good('sh', [
      '-c',
      'mkdir -p mirror/sub && echo a > mirror/a && head -c 2000000 /dev/urandom > mirror/sub/b',
    ]);
    assert.equal(await stats('mirror/', at('mirror/')), 2);
    assert.equal(await stats('mirror/', at('mirror/')), 0);
    await appendFile(stage.path('mirror/sub/b'), 'more');
    assert.equal(await stats('--inplace', '--no-whole-file', 'mirror/', at('mirror/')), 1);
    await stage.good('diff', ['-r', 'mirror', at('mirror')]);
    await rm(stage.path('mirror/a'));
    await stage.good('rsync', ['-a', '--delete', 'mirror/', at('mirror/')]);
    assert.deepEqual(await readdir(at('mirror')), ['sub']);
    assert.equal(await stats(at('mirror/'), 'back/'), 1);
    await stage.good('diff', ['-r', 'mirror', 'back']);
  });

  test('many files, and how much room there is', async () => {
    await mkdir(at('many'));
    await Promise.all(Array.from({ length: 60 }, (_, index) => writeFile(at(`many/${String(index)}`), String(index))));
    assert.equal((await readdir(at('many'))).length, 60);
    assert.equal(await text('many/59'), '59');
    const df = await stage.good('df', ['--output=size,avail', mount.path]);
    const [size = 0, available = 0] = df.trim().split('\n').at(-1)?.trim().split(/\s+/).map(Number) ?? [];
    assert.ok(size > 0 && available > 0 && available <= size);
  });
});
