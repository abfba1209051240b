import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createSilentServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { syncLines } from '../../src/cli/sync-lines.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
} from '../../src/crypto/certificates.js';
import { HOME } from '../../src/home.js';
import { temporaryFolder } from '../contract/offer.js';
import { MAX_GATHER_MS } from '../../src/documents/replication/pace.js';
import { needs } from '../needs.js';
import { eventually, SyncNetwork } from './sync-network.js';

const QUIET_MS = 10_000;
/** Health checks, housekeeping and the ends of feeds that wait 25 s write a little. */
const MAX_QUIET_BYTES = 200_000;

describe('a backup host that is no help', { timeout: 180_000 }, () => {
  it('keeps nobody from work, is told of, and catches up', async () => {
    await using network = await SyncNetwork.open({ peers: 4, backupHosts: 2 });
    await network.unlock(1);
    await network.client(1).makeFolder('/before');
    await network.waitForSync(1);

    await network.stop(2);
    await workWithout(network, 'down', /peer-2: 3 databases wait: .*ECONNREFUSED/);
    await using silent = await impostor(network, createSilentServer());
    await workWithout(network, 'silent', /peer-2: 3 databases wait: /);
    await silent[Symbol.asyncDispose]();
    await using stranger = await impostor(network, createTlsServer(await strangersKey()));
    await workWithout(network, 'stranger', /peer-2: 3 databases wait: .*certificate/);
    await stranger[Symbol.asyncDispose]();

    await network.start(2);
    await network.waitForSync(1);
    await network.unlock(2);
    await network.waitForTree(2, ['/before/', '/down/', '/silent/', '/stranger/']);
    await verifyQuiet(network);
  });
});

/** Changes are made at once, and the other backup host has them at once. */
async function workWithout(network: SyncNetwork, name: string, said: RegExp): Promise<void> {
  await network.client(1).makeFolder(`/${name}`);
  assert.ok((await network.tree(1)).includes(`/${name}/`));
  await eventually(async () => {
    const lines = syncLines(await network.sync(1));
    assert.match(lines.join('\n'), said);
    assert.ok(lines.includes('Backup   peer-1: all copied'), lines.join('\n'));
  });
}

/** Somebody else at the address of peer 2. */
async function impostor(network: SyncNetwork, server: Server): Promise<AsyncDisposable> {
  const { listen } = JSON.parse(await readFile(join(network.home(2), 'config.json'), 'utf8')) as { listen: string };
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(Number(listen.split(':')[1]), '127.0.0.1');
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function strangersKey(): Promise<{
  readonly key: string;
  readonly cert: string;
  readonly ALPNProtocols: string[];
}> {
  const authority = await createAuthority('another network', Date.now());
  const { publicKey, privateKey } = newPeerKeyPair();
  const terms = { publicKey, name: 'stranger', days: 1, hosts: ['127.0.0.1'], nowMs: Date.now() };
  const cert = certificateToPem(await issueCertificate(authority, terms));
  return { key: privateKeyToPem(privateKey), cert, ALPNProtocols: ['http/1.1'] };
}

/** When there is nothing to do, nothing is done: no sequence moves, and hardly anything is written or sent. */
async function verifyQuiet(network: SyncNetwork): Promise<void> {
  await settled(network);
  const before = await Promise.all(network.numbers.map((n) => activity(network, n)));
  await sleep(QUIET_MS);
  const after = await Promise.all(network.numbers.map((n) => activity(network, n)));
  assert.deepEqual(
    after.map(({ sequences }) => sequences),
    before.map(({ sequences }) => sequences),
  );
  const written = after.map((each, index) => each.writtenBytes - (before[index]?.writtenBytes ?? 0));
  assert.ok(
    written.every((bytes) => bytes < MAX_QUIET_BYTES),
    `bytes written, by peer: ${written.join(', ')}`,
  );
}

/** Between a stream that rests, and one that waits for it, a change is nowhere to be seen. */
async function settled(network: SyncNetwork): Promise<void> {
  const look = async (): Promise<readonly string[]> => {
    const activities = await Promise.all(network.numbers.map((n) => activity(network, n)));
    return activities.flatMap(({ sequences }) => sequences);
  };
  await eventually(async () => {
    for (const n of network.numbers) await network.waitForSync(n);
    const before = await look();
    await sleep(4 * MAX_GATHER_MS);
    assert.deepEqual(await look(), before);
  });
}

async function activity(network: SyncNetwork, n: number): Promise<{ sequences: string[]; writtenBytes: number }> {
  const { streams } = await network.sync(n);
  return {
    sequences: streams.map(({ host, database, direction, sequence, written }) =>
      [host, database, direction, sequence, written].join(' '),
    ),
    writtenBytes: await writtenBytes(network.process(n).pid),
  };
}

/** proc(5): to files and sockets alike; calls are no measure, for the garbage collector wakes itself by them. 0 where the system does not tell. */
async function writtenBytes(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${String(pid)}/io`, 'utf8'))?.[1]);
}

describe('a backup host whose disk is full', needs('mount', 'umount'), () => {
  it('is told of, and catches up when there is room', { timeout: 120_000 }, async (context) => {
    await using network = await SyncNetwork.make({ peers: 3, backupHosts: 2 });
    const folder = await temporaryFolder(context);
    await symlink(folder, join(network.home(2), HOME.couch));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      context.skip('mounting a tmpfs takes root');
      return;
    }
    try {
      await Promise.all([1, 2, 3].map((n) => network.start(n)));
      await network.unlock(1);
      await network.client(1).makeFolder('/before');
      await network.waitForSync(1);
      const ballast = join(folder, 'ballast');
      await writeFile(ballast, Buffer.alloc(8 << 20)).catch(() => undefined);
      for (let i = 0; i < 30; i++) await network.client(1).makeFolder(`/while-full-${String(i)}`);
      await eventually(async () => {
        assert.match(syncLines(await network.sync(1)).join('\n'), /peer-2: .*(full|space)/);
      });
      await rm(ballast);
      await network.waitForSync(1);
      await network.unlock(3);
      await network.waitForTree(3, await network.tree(1));
    } finally {
      execFileSync('umount', ['--lazy', folder]);
    }
  });
});
