import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { StorageError } from '../../src/errors.js';
import { needs } from '../needs.js';
import { SftpStage } from './stage.js';

const LARGE_BYTES = 24 * 1024 * 1024 + 12_345;

describe('OpenSSH', needs('sftp', 'scp', 'ssh', 'ssh-keygen'), () => {
  let stage: SftpStage;
  before(async () => {
    stage = await SftpStage.open();
  });
  after(() => stage[Symbol.asyncDispose]());

  test('sftp puts and gets, lists and removes', async () => {
    const bytes = randomBytes(LARGE_BYTES);
    await writeFile(stage.path('large'), bytes);
    await writeFile(stage.path('small'), 'small');
    await utimes(stage.path('small'), 1_600_000_000, 1_600_000_000);
    const put = await stage.sftp([
      'mkdir a',
      'mkdir a/b',
      'put large a/b/large',
      'put -p small a/small',
      'ls -la a',
      'df -h',
    ]);
    assert.equal(put.code, 0, put.stderr);
    assert.match(put.stdout, /small/);
    const { catalog } = stage.planet.engine;
    const { session } = stage.planet;
    assert.equal((await catalog.stat(session, '/a/b/large')).bytes, LARGE_BYTES);
    assert.equal((await catalog.stat(session, '/a/small')).modifiedMs, 1_600_000_000_000);
    assert.equal((await catalog.versions(session, '/a/b/large')).length, 1);
    const got = await stage.sftp([
      'get -p a/b/large back',
      'get -p a/small back-small',
      'rename a/small a/moved',
      'ls a',
    ]);
    assert.equal(got.code, 0, got.stderr);
    assert.ok((await readFile(stage.path('back'))).equals(bytes));
    assert.equal((await stat(stage.path('back-small'))).mtimeMs, 1_600_000_000_000);
    const removed = await stage.sftp(['rm a/moved', '-rmdir a', 'rm a/b/large', 'rmdir a/b', 'rmdir a', 'ls']);
    assert.equal(removed.code, 0, removed.stderr);
    await assert.rejects(catalog.stat(session, '/a'), (error) => StorageError.is(error, 'NOT_FOUND'));
  });

  test('sftp resumes a download, and changes the mode and time of a file', async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(stage.path('whole'), bytes);
    await writeFile(stage.path('part'), bytes.subarray(0, 1_234_567));
    const ran = await stage.sftp(['put whole', 'reget whole part', 'chmod 600 whole', 'ls -l whole']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /-rw-------/);
    assert.ok((await readFile(stage.path('part'))).equals(bytes));
  });

  test('sftp resumes an upload', async () => {
    const bytes = randomBytes(3_000_000);
    await writeFile(stage.path('begun'), bytes.subarray(0, 2_000_001));
    await writeFile(stage.path('all'), bytes);
    const ran = await stage.sftp(['put begun again', 'reput all again', 'get again got']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.ok((await readFile(stage.path('got'))).equals(bytes));
  });

  test('scp copies folders both ways', async () => {
    await stage.good('sh', [
      '-c',
      'mkdir -p tree/deep && head -c 100000 /dev/urandom > tree/one && echo two > "tree/deep/two words"',
    ]);
    await stage.good('scp', ['-F', stage.config, '-p', '-r', 'tree', 'shoal:copied']);
    await stage.good('scp', ['-F', stage.config, '-p', '-r', 'shoal:copied', 'returned']);
    await stage.good('diff', ['-r', 'tree', 'returned']);
    const times = await stage.good('sh', ['-c', 'stat -c %Y tree/one; stat -c %Y returned/one']);
    const [one, other] = times.trim().split('\n');
    assert.equal(one, other);
  });

  test('what is not served is refused in words', async () => {
    const shell = await stage.run('ssh', ['-F', stage.config, 'shoal']);
    assert.deepEqual([shell.code, shell.stderr.includes('no shell')], [1, true]);
    const exec = await stage.run('ssh', ['-F', stage.config, 'shoal', 'id']);
    assert.deepEqual([exec.code, exec.stdout, exec.stderr.includes('no shell')], [1, '', true]);
    const forward = await stage.run('ssh', ['-F', stage.config, '-W', '127.0.0.1:1', 'shoal']);
    assert.notEqual(forward.code, 0);
    const link = await stage.sftp(['symlink a b']);
    assert.notEqual(link.code, 0);
  });

  test('only strong algorithms, and no version in the banner', async () => {
    const weak = [
      '-oKexAlgorithms=diffie-hellman-group14-sha1',
      '-oKexAlgorithms=diffie-hellman-group14-sha256',
      '-oCiphers=aes128-cbc',
      '-oMACs=hmac-sha1',
      '-oHostKeyAlgorithms=rsa-sha2-512',
    ];
    for (const option of weak) {
      // GCM needs no MAC: without it the MAC counts.
      const ran = await stage.run('sftp', [
        '-F',
        stage.config,
        option,
        ...(option.includes('MAC') ? ['-oCiphers=aes256-ctr'] : []),
        'shoal',
      ]);
      assert.match(ran.stderr, /no matching|Unable to negotiate|Bad|Unsupported/i, option);
    }
    const verbose = await stage.run('sftp', ['-F', stage.config, '-v', '-b', '/dev/null', 'shoal']);
    assert.equal(verbose.code, 0, verbose.stderr);
    assert.match(verbose.stderr, /remote software version Shoal\r?\n/);
    assert.match(verbose.stderr, /cipher: aes\d+-(ctr|gcm)/);
  });
});
