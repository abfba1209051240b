import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from './errors.js';
import { socketPath } from './socket-path.js';

describe('socketPath', () => {
  let folder: string;
  let previous: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-socket-'));
    previous = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
  });

  afterEach(() => {
    if (previous === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = previous;
    rmSync(folder, { recursive: true, force: true });
  });

  it('lies in the home when the kernel can take the path', () => {
    assert.equal(socketPath('/srv/peer', 'control'), '/srv/peer/control.sock');
    const longest = `/${'h'.repeat(100 - '/control.sock'.length - 1)}`;
    assert.equal(Buffer.byteLength(socketPath(longest, 'control')), 100);
  });

  it('moves to a closed folder of the user when it is one byte too long', () => {
    const home = `/${'h'.repeat(100 - '/control.sock'.length)}`;
    const moved = socketPath(home, 'control');
    assert.equal(dirname(moved), join(folder, `shoal-${String(userInfo().uid)}`));
    assert.match(moved, /\/[0-9a-f]{16}-control\.sock$/);
    assert.equal(statSync(dirname(moved)).mode & 0o777, 0o700);
    assert.equal(socketPath(home, 'control'), moved);
    assert.notEqual(socketPath(`${home}2`, 'control'), moved);
  });

  it('is the same through a link to the home', () => {
    const home = join(folder, 'h'.repeat(90));
    mkdirSync(home);
    const link = join(folder, 'l'.repeat(90));
    symlinkSync(home, link);
    assert.equal(socketPath(link, 'control'), socketPath(home, 'control'));
  });

  it('refuses a folder that others can enter', () => {
    const shared = join(folder, `shoal-${String(userInfo().uid)}`);
    mkdirSync(shared);
    chmodSync(shared, 0o755);
    assert.throws(() => socketPath(`/${'h'.repeat(120)}`, 'control'), isDenied);
  });

  it('refuses a link in the place of the folder', () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, join(folder, `shoal-${String(userInfo().uid)}`));
    assert.throws(() => socketPath(`/${'h'.repeat(120)}`, 'control'), isDenied);
  });
});

function isDenied(error: unknown): boolean {
  return StorageError.is(error, 'PERMISSION_DENIED');
}
