import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { NetworkClient } from '../../src/cli/network-client.js';
import { runCli } from '../../src/cli/run-cli.js';
import type { Service } from '../../src/config.js';
import { NEVER } from '../contract/offer.js';
import { needs } from '../needs.js';
import { ServeProcess } from '../sync/processes.js';
import { eventually } from '../sync/sync-network.js';

const BEHIND: readonly Service[] = ['front'];
const MIB = 1024 * 1024;

/** Peer 1, a backup host, is behind nginx; 2 behind the built-in front; 3 has all in one process. */
describe('peers behind fronts of their own', needs('nginx'), () => {
  const running: ServeProcess[] = [];
  let folder: string, ports: readonly number[];

  const home = (n: number): string => join(folder, `home-${String(n)}`);
  const address = (n: number): string => `127.0.0.1:${String(ports[n])}`;

  async function cli(n: number, words: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await runCli(words, { home: home(n), input });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  }

  async function serve(n: number, front?: readonly string[]): Promise<void> {
    running.push(await ServeProcess.start({ home: home(n), separate: front === undefined ? [] : BEHIND }));
    if (front === undefined) return;
    running.push(await ServeProcess.start({ home: home(n), separate: BEHIND, service: 'front', words: front }));
  }

  async function joinBy(n: number, front?: readonly string[]): Promise<void> {
    const token = await cli(1, ['peer', 'invite']);
    await cli(n, ['peer', 'join', '-', '--name', `p${String(n)}`, '--listen', address(n)], token);
    await serve(n, front);
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-fronts-'));
    ports = await chooseFreePorts(4);
    const passphrase = join(folder, 'passphrase');
    await writeFile(passphrase, 'a passphrase for tests', { mode: 0o600 });
    const user = ['--user', 'alice', '--passphrase-file', passphrase];
    await cli(1, ['network', 'create', '--name', 'test', '--peer-name', 'p1', '--listen', address(1), ...user]);
    await serve(1, ['--nginx']);
    await joinBy(2, []);
    await joinBy(3);
    await cli(1, ['unlock', 'alice', '--passphrase-file', passphrase]);
  });
  after(async () => {
    await Promise.all(running.reverse().map((each) => each.end('SIGTERM')));
    await rm(folder, { recursive: true, force: true });
  });

  it('join through nginx, and hear of each other through its /couchdb/', async () => {
    for (const n of [1, 2, 3]) {
      await eventually(async () => {
        await using client = new NetworkClient(home(n), NEVER);
        const names = (await client.peers()).map((peer) => peer.name);
        assert.deepEqual(names.sort(), ['p1', 'p2', 'p3']);
      });
    }
  });

  it('store and fetch files', async () => {
    const content = randomBytes(20 * MIB);
    await writeFile(join(folder, 'file'), content);
    await eventually(async () => {
      await cli(1, ['put', join(folder, 'file'), '/file']);
    });
    await cli(1, ['get', '/file', join(folder, 'got')]);
    assert.ok((await readFile(join(folder, 'got'))).equals(content));
  });

  it('show their own certificate and no more of what they are', async () => {
    const { statusCode, headers } = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: ports[1], path: '/couchdb/_all_dbs', rejectUnauthorized: false };
      const asked = request({ ...options, agent: false }, (response) => {
        response.resume();
        resolve(response);
      });
      asked.once('error', reject);
      asked.end();
    });
    assert.equal(statusCode, 401);
    assert.equal(headers['server'], 'nginx');
  });

  it('keep nginx to the home, for its owner alone', async () => {
    const config = join(home(1), 'nginx', 'nginx.conf');
    assert.equal((await stat(config)).mode & 0o777, 0o600);
    assert.equal((await stat(join(home(1), 'nginx'))).mode & 0o777, 0o700);
    const printed = await cli(1, ['nginx']);
    assert.ok((await readFile(config, 'utf8')).endsWith(printed));
  });
});
