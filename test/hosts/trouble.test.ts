import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { seededBytes } from '../e2e/programs/seeded.js';
import { eventually } from '../sync/sync-network.js';
import { HostNetwork } from './host-network.js';
import { needsHosts } from './lab.js';

const MB = 1_000_000;
/** As the Internet between two towns: a round trip of 50 ms, and one packet in a hundred lost. */
const FAR = { delayMs: 25, loss: 0.01 };
const CALM = { delayMs: 0, loss: 0 };

describe('peers on hosts of their own', needsHosts(), () => {
  let network: HostNetwork;
  let names: string[];

  before(async () => {
    network = await HostNetwork.open({ peers: 4, tolerate: 2, addresses: (n) => `10.77.0.${String(n)}/24` });
    names = network.peers.map(({ host }) => host.name);
    await network.unlock(1);
    await network.unlock(3);
  });

  after(async () => {
    await network[Symbol.asyncDispose]();
  });

  async function sample(name: string, bytes: number): Promise<string> {
    const path = join(network.folder, name);
    await writeFile(path, seededBytes(name, bytes));
    return path;
  }

  async function assertAt(n: number, remote: string, local: string): Promise<void> {
    const back = join(network.folder, `back-${String(n)}`);
    await network.shoalSoon(n, 'get', remote, back, '--force');
    assert.ok((await readFile(back)).equals(await readFile(local)), `${remote} is what was put, read at ${String(n)}`);
  }

  it('store and give back over a slow network that loses packets', async (t) => {
    const local = await sample('far', 16 * MB);
    network.lab.wires.weather = FAR;
    try {
      const started = performance.now();
      await network.shoal(1, 'put', local, '/far');
      const stored = performance.now();
      await assertAt(3, '/far', local);
      const seconds = (ms: number): string => (ms / 1000).toFixed(1);
      t.diagnostic(`16 MB: put ${seconds(stored - started)} s, get ${seconds(performance.now() - stored)} s`);
    } finally {
      network.lab.wires.weather = CALM;
    }
  });

  it('go on after the network was cut in the middle of a put', async () => {
    const local = await sample('cut', 24 * MB);
    // So slow that the cut comes before the end: 24 MB are some 12 s from one host.
    network.lab.wires.weather = { delayMs: 5, loss: 0, bytesPerSecond: 3 * MB };
    const failure = network.shoal(1, 'put', local, '/cut').then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : 'it failed with something else'),
    );
    await sleep(4_000);
    network.lab.wires.partition(['h1', 'h2'], ['h3', 'h4']);
    await sleep(5_000);
    network.lab.wires.heal();
    network.lab.wires.weather = CALM;
    const message = await failure;
    if (message !== undefined) {
      assert.match(message, /try again/i);
      await network.shoalSoon(1, 'put', local, '/cut');
    }
    await assertAt(3, '/cut', local);
  });

  it('agree again after each side has worked alone', async () => {
    const local = await sample('alone', 10_000);
    network.lab.wires.partition(
      names.filter((name) => name !== 'h3'),
      ['h3'],
    );
    try {
      await network.shoal(1, 'put', local, '/alone-1');
      await network.shoal(3, 'mkdir', '/alone-3');
    } finally {
      network.lab.wires.heal();
    }
    await assertAt(3, '/alone-1', local);
    await eventually(async () => assert.match(await network.shoal(1, 'ls', '/'), /alone-3/));
  });

  it('find a peer that has another address now', async () => {
    const local = await sample('moved', 3 * MB);
    await network.stop(4);
    await network.lab.readdress(network.peer(4).host, ['10.77.0.44/24']);
    const address = network.address(4);
    await writeFile(join(network.peer(4).home, 'config.json'), JSON.stringify({ listen: address, address }));
    await network.serve(4);
    await eventually(async () => assert.ok((await network.shoal(1, 'peer', 'list')).includes(address)));
    // A put needs three of the four: with this one away, the one that has moved is among them.
    await network.stop(2);
    await network.shoalSoon(1, 'put', local, '/moved');
    await assertAt(3, '/moved', local);
    await network.serve(2);
  });
});

describe('peers that have nothing but IPv6', needsHosts(), () => {
  it('join, store and give back', async () => {
    await using network = await HostNetwork.open({ peers: 3, addresses: (n) => `fd00:77::${String(n)}/64` });
    await network.unlock(1);
    const local = join(network.folder, 'six');
    await writeFile(local, seededBytes('six', 2 * MB));
    await network.shoal(1, 'put', local, '/six');
    await network.unlock(3);
    await network.shoalSoon(3, 'get', '/six', join(network.folder, 'back'));
    assert.ok((await readFile(join(network.folder, 'back'))).equals(await readFile(local)));
  });
});
