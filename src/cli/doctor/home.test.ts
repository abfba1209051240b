import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../../errors.js';
import { openNative } from '../../store/sqlite-driver.js';
import { checkDatabases } from './databases.js';
import { checkDisk, checkFileSystem, checkSpace, checkSync, judgeSync } from './disk.js';
import { checkHome } from './home-folder.js';
import { checkNginx } from './nginx.js';
import { checkSettings } from './settings.js';

const MIB = 1024 ** 2;
const NO_PEER = new StorageError('NOT_FOUND', 'It is not a peer’s home.');

describe('a home', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'shoal-doctor-'));
  });

  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });

  it('that is not there, is no peer’s, or is open to others, is told of', async () => {
    const [gone] = await checkHome(join(home, 'gone'), NO_PEER);
    assert.equal(gone?.level, 'problem');
    assert.match(String(gone.remedy), /network create/);
    const [empty] = await checkHome(home, NO_PEER);
    assert.match(String(empty?.found), /not a peer/);
    chmodSync(home, 0o755);
    writeFileSync(join(home, 'peer.key'), '', { mode: 0o644 });
    const findings = await checkHome(home, NO_PEER);
    assert.deepEqual(
      findings.map(({ level, remedy }) => `${level} ${String(remedy)}`),
      [`problem chmod 700 ${home}`, `problem chmod 600 ${join(home, 'peer.key')}`],
    );
  });

  it('has settings that can be read', () => {
    assert.equal(checkSettings(new StorageError('INVALID_ARGUMENT', 'config.json is not JSON.')).level, 'problem');
  });

  it('has room on a disk that stays', () => {
    assert.equal(checkSpace(5000 * MIB, 512 * MIB).level, 'ok');
    assert.equal(checkSpace(600 * MIB, 512 * MIB).level, 'warning');
    assert.equal(checkSpace(400 * MIB, 512 * MIB).level, 'problem');
    assert.deepEqual(
      [0xef53, 0x6969, 0x01021994].map((type) => checkFileSystem(type, home).level),
      ['ok', 'warning', 'problem'],
    );
  });

  it('is looked at on its disk', async () => {
    assert.equal((await checkDisk(home, 0)).length, 2);
    assert.equal((await checkDisk(join(home, 'gone'), 0))[0]?.level, 'problem');
    assert.deepEqual(
      [3, 60, 900].map((ms) => judgeSync(ms).level),
      ['ok', 'warning', 'problem'],
    );
    assert.match((await checkSync(home)).found, /on the disk after/);
    assert.deepEqual(readdirSync(home), []);
    assert.equal((await checkSync(join(home, 'gone'))).level, 'problem');
  });

  it('has databases, of which a damaged one is named', async () => {
    assert.equal((await checkDatabases(home, true))[0]?.level, 'unknown');
    assert.equal((await checkDatabases(home, false))[0]?.level, 'unknown');
    mkdirSync(join(home, 'state'));
    const file = join(home, 'state', 'state.sqlite');
    const native = await openNative(file);
    native.exec('CREATE TABLE t (a TEXT) STRICT; INSERT INTO t VALUES (hex(randomblob(20000)))');
    native.close();
    assert.deepEqual(
      (await checkDatabases(home, false)).map(({ level }) => level),
      ['ok'],
    );
    truncateSync(file, 8192);
    const [damaged] = await checkDatabases(home, false);
    assert.equal(damaged?.level, 'problem');
    assert.ok(damaged.found.includes(file));
    writeFileSync(file, 'not a database at all, but a text of some length '.repeat(100));
    assert.equal((await checkDatabases(home, false))[0]?.level, 'problem');
  });

  it('where nginx is the front, needs it', async () => {
    const missing = (): Promise<never> => Promise.reject(new StorageError('NOT_FOUND', 'nginx is not installed.'));
    assert.deepEqual(await checkNginx(home, missing), []);
    mkdirSync(join(home, 'nginx'));
    assert.equal((await checkNginx(home, missing))[0]?.level, 'problem');
    const found = await checkNginx(home, async () => ({ path: '/usr/sbin/nginx', version: [1, 22, 1] }));
    assert.match(String(found[0]?.found), /1\.22\.1/);
  });
});
