import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HOME } from '../../src/home.js';
import { eventually, failureOf, PASSPHRASE, SyncNetwork } from './sync-network.js';

describe('new keys while a peer is away', { timeout: 120_000 }, () => {
  it('take over what it wrote under the old ones, which vanish', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 2, separate: ['couchdb'] });
    for (const n of [1, 2, 3]) await network.unlock(n);
    await network.put(1, '/folder/early', 'written before');
    await network.waitForTree(2, ['/folder/', '/folder/early']);
    await network.waitForTree(3, ['/folder/', '/folder/early']);

    // Away from the catalog only: what peer 3 stores needs the others' disks.
    for (const host of [1, 2]) await network.end(host, 'couchdb');
    await network.put(3, '/folder/away', 'written under the old keys');
    await network.put(1, '/folder/at-home', 'written under the old keys too');
    await network.stop(3);
    for (const host of [1, 2]) await network.startOne(host, 'couchdb');
    for await (const { event } of network.client(1).rotateKeys('demo', { passphrase: PASSPHRASE }))
      assert.notEqual(event, 'error');
    await eventually(async () => {
      assert.equal((await failureOf(network.tree(2))).code, 'LOCKED');
    });
    await network.unlock(2);
    await network.waitForTree(2, ['/folder/', '/folder/at-home', '/folder/early']);

    await network.start(3);
    await eventually(async () => {
      const [demo] = await network.client(3).users();
      assert.equal(demo?.generation, 2);
    });
    await network.unlock(3);
    const all = ['/folder/', '/folder/at-home', '/folder/away', '/folder/early'];
    for (const n of [1, 2, 3]) {
      await network.waitForTree(n, all);
      assert.equal(await network.read(n, '/folder/away'), 'written under the old keys');
    }
    await eventually(async () => {
      for (const n of [1, 2, 3]) assert.deepEqual(await generations(network, n), [2], `at peer ${String(n)}`);
    });
    // Backup hosts keep the former database for a while. No peer pulls it again: not now, and not after a restart.
    await network.put(2, '/after', 'under the new keys');
    await network.stop(3);
    await network.start(3);
    await network.unlock(3);
    await network.waitForTree(3, ['/after', ...all]);
    for (const n of [1, 2, 3]) {
      await network.waitForSync(n);
      assert.deepEqual(await generations(network, n), [2], `at peer ${String(n)}`);
      const names = (await network.sync(n)).streams.map(({ database }) => database);
      assert.deepEqual(
        names.filter((name) => name.startsWith('user-') && name.endsWith('-1')),
        [],
      );
    }
  });

  it('take over what it pushes under the old ones while its user is locked, until every home has the new ones', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 2, separate: ['couchdb'] });
    for (const n of [1, 2, 3]) await network.unlock(n);
    await network.put(1, '/early', 'written before');
    for (const n of [2, 3]) await network.waitForTree(n, ['/early']);

    for (const host of [1, 2]) await network.end(host, 'couchdb');
    await network.put(3, '/away', 'written under the old keys');
    await network.stop(3);
    for (const host of [1, 2]) await network.startOne(host, 'couchdb');
    for await (const { event } of network.client(1).rotateKeys('demo', { passphrase: PASSPHRASE }))
      assert.notEqual(event, 'error');
    // Peer 2 has the new keys, and is locked when what was written under the old ones comes.
    await eventually(async () => {
      assert.equal((await failureOf(network.tree(2))).code, 'LOCKED');
    });

    await network.start(3);
    await network.waitForTree(1, ['/away', '/early']);
    assert.equal(await network.read(1, '/away'), 'written under the old keys');
    assert.deepEqual(await generations(network, 1), [1, 2], 'a home is still waited for');
    await network.unlock(2);
    await network.waitForTree(2, ['/away', '/early']);

    await network.unlock(3);
    await network.waitForTree(3, ['/away', '/early']);
    await eventually(async () => {
      for (const n of [1, 2, 3]) assert.deepEqual(await generations(network, n), [2], `at peer ${String(n)}`);
    });
  });
});

/** Of which generations a peer has a database. */
async function generations(network: SyncNetwork, n: number): Promise<number[]> {
  const names = await readdir(join(network.home(n), HOME.documents));
  return names.filter((name) => name.startsWith('user-')).map((name) => Number(name.split('-').at(-1)));
}
