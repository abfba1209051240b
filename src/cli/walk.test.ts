import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { walk, type Found } from './walk.js';

const asRoot = process.getuid?.() === 0;

describe('walk', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-walk-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function found(): Found[] {
    return [...walk(folder, '/to')];
  }

  it('finds files by name, with what an import needs', () => {
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b', 'two'), '22');
    writeFileSync(join(folder, 'c'), '333', { mode: 0o750 });
    writeFileSync(join(folder, 'a'), '');
    utimesSync(join(folder, 'c'), 1_700_000_000, 1_700_000_000);
    const files = found();
    assert.deepEqual(
      files.map((one) => (one.kind === 'file' ? [one.path, one.bytes] : one)),
      [
        ['/to/a', 0],
        ['/to/c', 3],
        ['/to/b/two', 2],
      ],
    );
    const { dev, ino } = lstatSync(join(folder, 'c'), { bigint: true });
    assert.deepEqual(files[1], {
      kind: 'file',
      local: join(folder, 'c'),
      path: '/to/c',
      device: dev.toString(),
      inode: ino.toString(),
      bytes: 3,
      modifiedMs: 1_700_000_000_000,
      mode: 0o750,
    });
  });

  it('reports empty folders', () => {
    mkdirSync(join(folder, 'empty'));
    assert.deepEqual(found(), [{ kind: 'empty-folder', local: join(folder, 'empty'), path: '/to/empty' }]);
  });

  it('does not follow links, and says so', () => {
    symlinkSync('/etc', join(folder, 'link'));
    symlinkSync('nowhere', join(folder, 'broken'));
    assert.deepEqual(found(), [
      { kind: 'skipped', local: join(folder, 'broken'), reason: 'symbolic link' },
      { kind: 'skipped', local: join(folder, 'link'), reason: 'symbolic link' },
    ]);
  });

  it('skips a pipe instead of waiting for it', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    assert.deepEqual(found(), [{ kind: 'skipped', local: join(folder, 'pipe'), reason: 'pipe' }]);
  });

  it('names what cannot be stored, and goes on', () => {
    writeFileSync(join(folder, 'bad\nname'), '');
    writeFileSync(join(folder, 'good'), '');
    const [bad, good] = found();
    assert.ok(bad?.kind === 'failed' && bad.code === 'INVALID_ARGUMENT');
    assert.equal(good?.kind, 'file');
  });

  it('names an unreadable folder, and goes on', { skip: asRoot && 'root reads every folder' }, () => {
    mkdirSync(join(folder, 'closed'), { mode: 0 });
    writeFileSync(join(folder, 'good'), '');
    try {
      const [good, closed] = found();
      assert.equal(good?.kind, 'file');
      assert.ok(closed?.kind === 'failed' && closed.code === 'PERMISSION_DENIED');
      assert.match(closed.message, /closed/);
    } finally {
      chmodSync(join(folder, 'closed'), 0o700);
    }
  });

  it('reports a folder that is not there', () => {
    const [missing] = walk(join(folder, 'missing'), '/to');
    assert.ok(missing?.kind === 'failed' && missing.code === 'NOT_FOUND');
  });
});
