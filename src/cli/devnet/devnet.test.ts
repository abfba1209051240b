import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StorageError, type ErrorCode } from '../../errors.js';
import { FAKE_PASSPHRASE } from '../fake-users.js';
import { Devnet } from './devnet.js';
import { createLayout, passphraseFile, readLayout, readLayoutIfThere, type Provision } from './layout.js';
import { chooseFreePorts } from './ports.js';
import { identify, isRunning } from './process-identity.js';

const SERVE = fileURLToPath(new URL('fake-serve.js', import.meta.url));
const runtime = { env: process.env, signal: new AbortController().signal };

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => StorageError.is(error, code);
}

/** Homes as src/provision.ts makes them, without what is in them. */
const provision: Provision = async ({ dir, peers }) => ({
  peers: peers.map(({ n, port }) => {
    const home = join(dir, `peer-${String(n)}`);
    mkdirSync(home);
    return { n, id: `id-${String(n)}`, home, address: `127.0.0.1:${String(port)}` };
  }),
});

describe('a devnet', () => {
  let folder: string;
  let devnet: Devnet;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-devnet-'));
    const layout = await createLayout(folder, { peers: 2 }, provision);
    for (const { home } of layout.peers) writeFileSync(passphraseFile(home), FAKE_PASSPHRASE);
    devnet = new Devnet(layout, runtime, SERVE);
  });

  afterEach(async () => {
    await devnet.down({ kill: true });
    rmSync(folder, { recursive: true, force: true });
  });

  async function pids(): Promise<(number | null)[]> {
    return (await devnet.status()).map((peer) => peer.pid);
  }

  it('starts every peer as a process of its own, and starts none twice', async () => {
    await devnet.up();
    const first = await devnet.status();
    assert.deepEqual(
      first.map(({ n, up }) => [n, up]),
      [
        [1, true],
        [2, true],
      ],
    );
    assert.notEqual(first[0]?.pid, first[1]?.pid);
    await devnet.up();
    assert.deepEqual(
      await pids(),
      first.map((peer) => peer.pid),
    );
  });

  it('stops and starts one peer, and leaves the other alone', async () => {
    await devnet.up();
    const [one] = await pids();
    await devnet.stop(devnet.peer(2), { kill: true });
    assert.deepEqual(await pids(), [one, null]);
    await devnet.start(devnet.peer(2));
    const after = await devnet.status();
    assert.deepEqual([after[0]?.pid, after[1]?.up], [one, true]);
    await devnet.down();
    assert.deepEqual(await pids(), [null, null]);
    await devnet.down();
  });

  it('says why a peer did not start', async () => {
    const { home } = devnet.peer(2);
    writeFileSync(join(home, 'broken'), '');
    await assert.rejects(devnet.up(), (error) => {
      assert.ok(StorageError.is(error, 'UNAVAILABLE'));
      assert.match(error.message, /peer-2.*the disk of this peer is broken/);
      return true;
    });
    assert.equal((await devnet.status())[0]?.up, true);
  });

  it('does not touch a process that only has the number of an old one', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      const pid = stranger.pid ?? 0;
      writeFileSync(join(devnet.peer(1).home, 'peer.pid'), JSON.stringify({ pid, started: 'long ago' }));
      assert.deepEqual(await pids(), [null, null]);
      await devnet.down({ kill: true });
      assert.notEqual(identify(pid), undefined);
    } finally {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  });

  it('knows its peers', () => {
    assert.equal(devnet.peer(2).name, 'peer-2');
    assert.throws(() => devnet.peer(3), isCode('NOT_FOUND'));
  });
});

describe('the layout of a devnet', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-layout-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the same when it is read again', async () => {
    const dir = join(folder, 'net');
    assert.equal(readLayoutIfThere(dir), undefined);
    const made = await createLayout(dir, { peers: 3 }, provision);
    assert.deepEqual(readLayout(dir), made);
    assert.equal(new Set(made.peers.map((peer) => peer.address)).size, 3);
    const secret = passphraseFile(join(dir, 'peer-1'));
    assert.equal(statSync(secret).mode & 0o777, 0o600);
    assert.ok(readFileSync(secret, 'utf8').length > 30);
  });

  it('has as many backup hosts as were asked for, or as provisioning thinks best', async () => {
    const asked: unknown[] = [];
    const spy: Provision = (request) => {
      asked.push(request.backupHosts);
      return provision(request);
    };
    await createLayout(join(folder, 'one'), { peers: 2, backupHosts: 1 }, spy);
    await createLayout(join(folder, 'best'), { peers: 2 }, spy);
    assert.deepEqual(asked, [1, undefined]);
  });

  it('is not made in a folder that holds something', async () => {
    writeFileSync(join(folder, 'mine'), '');
    await assert.rejects(createLayout(folder, { peers: 2 }, provision), isCode('ALREADY_EXISTS'));
    assert.ok(existsSync(join(folder, 'mine')));
  });

  it('leaves nothing behind when it cannot be made', async () => {
    const failing: Provision = async (request) => {
      await provision(request);
      throw new StorageError('NO_SPACE', 'full');
    };
    await assert.rejects(createLayout(folder, { peers: 2 }, failing), isCode('NO_SPACE'));
    assert.equal((await createLayout(folder, { peers: 2 }, provision)).peers.length, 2);
  });

  it('is refused when it is damaged', () => {
    for (const text of ['', '{}', '{"version":2,"peers":[]}', '{"version":1,"peers":[{"n":1}]}']) {
      writeFileSync(join(folder, 'devnet.json'), text);
      assert.throws(() => readLayout(folder), isCode('CORRUPT'), text);
    }
  });
});

describe('a process', () => {
  it('is told apart from another with its number', () => {
    const own = identify(process.pid);
    assert.ok(own !== undefined && isRunning(own));
    assert.equal(isRunning({ ...own, started: `${own.started}0` }), false);
  });

  it('is gone after its end', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    assert.equal(identify(child.pid ?? 0), undefined);
  });
});

it('chooses ports that are free and different', async () => {
  const ports = await chooseFreePorts(20);
  assert.equal(new Set(ports).size, 20);
  const server = createServer().listen(ports[0], '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
