import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { needs } from '../needs.js';
import { freePort, SftpStage } from './stage.js';

describe('rclone', needs('rclone', 'ssh-keygen'), () => {
  let stage: SftpStage;
  before(async () => {
    stage = await SftpStage.open();
    const remote = [
      '[shoal]',
      'type = sftp',
      'host = 127.0.0.1',
      `port = ${String(stage.port)}`,
      'user = demo',
      `key_file = ${stage.key}`,
      `known_hosts_file = ${stage.path('known_hosts')}`,
      'shell_type = none',
    ];
    await writeFile(stage.path('rclone.conf'), `${remote.join('\n')}\n`);
    await stage.good('sh', [
      '-c',
      'mkdir -p files/x/y && for i in 1 2 3 4 5 6 7 8; do head -c 1$i"0000" /dev/urandom > files/x/f$i; done; head -c 5000000 /dev/urandom > files/x/y/big; : > files/empty',
    ]);
  });
  after(() => stage[Symbol.asyncDispose]());

  const rclone = (...args: string[]): Promise<string> =>
    stage.good('rclone', ['--config', stage.path('rclone.conf'), ...args]);

  test('copy, check, sync and back', async () => {
    await rclone('copy', 'files', 'shoal:files');
    await rclone('check', '--download', 'files', 'shoal:files');
    await stage.good('sh', ['-c', 'rm files/x/f1; echo new > files/x/f2; touch -d 2001-01-01 files/x/f3']);
    await rclone('sync', 'files', 'shoal:files');
    await rclone('check', '--download', 'files', 'shoal:files');
    assert.doesNotMatch(await rclone('lsf', '-R', 'shoal:files'), /f1$/m);
    assert.match(await rclone('lsl', 'shoal:files/x/f3'), /2001-01-01/);
    await rclone('copy', 'shoal:files', 'back');
    await stage.good('diff', ['-r', 'files', 'back']);
    await rclone('moveto', 'shoal:files/x/y/big', 'shoal:files/moved');
    await rclone('purge', 'shoal:files/x');
    assert.deepEqual((await rclone('lsf', 'shoal:files')).trim().split('\n').sort(), ['empty', 'moved']);
  });

  test('WebDAV in front of it', async () => {
    const port = await freePort();
    const args = ['serve', 'webdav', 'shoal:', '--addr', `127.0.0.1:${String(port)}`];
    const server = spawn('rclone', ['--config', stage.path('rclone.conf'), ...args], { stdio: 'ignore' });
    try {
      const url = (path: string): string => `http://127.0.0.1:${String(port)}${path}`;
      const ask = async (method: string, path: string, options: RequestInit = {}): Promise<Response> =>
        fetch(url(path), { method, ...options });
      for (let tries = 0; ; tries++) {
        const isUp = await ask('OPTIONS', '/').then(
          () => true,
          () => false,
        );
        if (isUp) break;
        assert.ok(tries < 300 && server.exitCode === null, 'rclone serves');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.equal((await ask('MKCOL', '/dav')).status, 201);
      assert.equal((await ask('PUT', '/dav/note', { body: 'a note' })).status, 201);
      const part = await ask('GET', '/dav/note', { headers: { range: 'bytes=2-' } });
      assert.equal(await part.text(), 'note');
      const listing = await ask('PROPFIND', '/dav', { headers: { depth: '1' } });
      assert.equal(listing.status, 207);
      assert.match(await listing.text(), /\/dav\/note/);
      const moved = await ask('MOVE', '/dav/note', { headers: { destination: url('/dav/moved') } });
      assert.equal(moved.status, 201);
      assert.equal(await (await ask('GET', '/dav/moved')).text(), 'a note');
      assert.equal((await ask('DELETE', '/dav')).status, 204);
      assert.equal((await ask('GET', '/dav/moved')).status, 404);
    } finally {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    }
  });
});
