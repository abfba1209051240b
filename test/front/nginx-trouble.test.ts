import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';
import { nginxConfig } from '../../src/front/nginx-config.js';
import { NginxFront, settingsOf, type NginxFrontOptions } from '../../src/front/nginx-front.js';
import { NginxProcess } from '../../src/front/nginx-process.js';
import { findNginx } from '../../src/front/nginx-program.js';
import type { ErrorCode } from '../../src/errors.js';
import { StorageError } from '../../src/errors.js';
import { silentLogger } from '../../src/log.js';
import { needs } from '../needs.js';
import { TestNetwork, type TestPeer } from '../wire/network.js';
import { listens, until } from './callers.js';
import { freePort } from './stage.js';

async function hasWorkers(pid: number | undefined): Promise<boolean> {
  const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  return children !== '';
}

describe('nginx in trouble', needs('nginx'), () => {
  let folder: string, peer: TestPeer, options: NginxFrontOptions;

  before(async () => {
    peer = await (await TestNetwork.open()).peer();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-nginx-'));
    const files = { key: join(folder, 'key'), certificate: join(folder, 'crt'), authority: join(folder, 'ca') };
    await writeFile(files.key, peer.tls.key);
    await writeFile(files.certificate, peer.tls.certificate);
    await writeFile(files.authority, peer.tls.authority);
    options = {
      address: `127.0.0.1:${String(await freePort())}`,
      tls: peer.tls,
      folder: join(folder, 'nginx'),
      files,
      socketOf: (name) => join(folder, `${name}.sock`),
      couch: { socket: join(folder, 'couchdb.sock') },
      logger: silentLogger(),
    };
  });

  const port = (): number => Number(options.address.split(':')[1]);

  async function refused(code: ErrorCode, words: RegExp): Promise<void> {
    await assert.rejects(NginxFront.open(options), (error: unknown) => {
      assert.ok(StorageError.is(error, code), String(error));
      assert.match(error.message, words);
      return true;
    });
    assert.equal(await listens(port()).catch(() => false), false);
    await rm(folder, { recursive: true });
  }

  it('says that it is missing, and what to do', async () => {
    options = { ...options, nginx: join(folder, 'no-nginx') };
    await refused('NOT_FOUND', /no-nginx/);
  });

  it('says that somebody has edited its configuration, and leaves it', async () => {
    await (await NginxFront.open(options)).close();
    const config = join(options.folder, 'nginx.conf');
    await appendFile(config, '# mine\n');
    await assert.rejects(NginxFront.open(options), /nginx\.conf was edited by hand.*Move it away/);
    assert.match(await readFile(config, 'utf8'), /# mine\n$/);
    await rm(folder, { recursive: true });
  });

  it('says that the port is taken', async () => {
    const other = createServer();
    other.listen(port(), '127.0.0.1');
    await once(other, 'listening');
    await assert.rejects(NginxFront.open(options), /EADDRINUSE.*stop it or choose another with --listen/);
    other.close();
    await rm(folder, { recursive: true });
  });

  it('does not take another program on its port for itself', async () => {
    const { path, version } = await findNginx();
    const config = join(folder, 'late.conf');
    await mkdir(options.folder);
    await writeFile(config, nginxConfig({ ...settingsOf(options), version }));
    const other = createServer();
    other.listen(port(), '127.0.0.1');
    await once(other, 'listening');
    const { address, logger } = options;
    const started = NginxProcess.start({ path, folder: options.folder, config, address, logger });
    await assert.rejects(started, /nginx ended .*could not bind/);
    other.close();
    await rm(folder, { recursive: true });
  });

  it('says that the key is not one, or not that of the certificate', async () => {
    await writeFile(options.files.key, 'no key');
    await refused('INVALID_ARGUMENT', /nginx does not take .*key/i);
  });

  it('has no port of its own choice', async () => {
    options = { ...options, address: '127.0.0.1:0' };
    await assert.rejects(NginxFront.open(options), /nginx needs a port/);
    await rm(folder, { recursive: true });
  });

  for (const left of ['a master', 'workers without a master']) {
    it(`takes over from a front that was killed and left ${left}`, async () => {
      const { path, version } = await findNginx();
      const config = join(folder, 'left.conf');
      await mkdir(options.folder);
      await writeFile(config, nginxConfig({ ...settingsOf(options), version }));
      const words = ['-e', 'stderr', '-p', options.folder, '-c', config, '-g', 'daemon off;'];
      const orphan = spawn(path, words, { cwd: options.folder, detached: true, stdio: 'ignore' });
      const gone = once(orphan, 'exit');
      await until(() => listens(port()));
      if (left === 'workers without a master') {
        // It listens before it has any.
        await until(() => hasWorkers(orphan.pid));
        orphan.kill('SIGKILL');
        await gone;
        assert.ok(await listens(port()), 'its workers listen');
      }
      const front = await NginxFront.open(options);
      await gone;
      assert.ok(await listens(port()));
      await front.close();
      assert.equal(await listens(port()), false);
      await rm(folder, { recursive: true });
    });
  }
});
