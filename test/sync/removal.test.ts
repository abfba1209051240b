import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, SyncNetwork } from './sync-network.js';

const FOREVER = { recursive: true, forever: true };

describe('removing for ever where a user has several homes', { timeout: 120_000 }, () => {
  it('frees the space when all of them know, and nothing of what one has taken back meanwhile', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 1, separate: ['couchdb'] });
    await network.unlock(1);
    await network.unlock(3);
    const storedAt = async (n: number): Promise<number> => (await network.client(n).status()).store?.chunks ?? -1;
    const before = await storedAt(2);
    await network.put(1, '/gone', 'removed for ever by one, while the other looks on');
    await network.put(1, '/back', 'removed for ever by one, taken back by the other');
    await network.waitForTree(3, ['/gone', '/back']);
    for (const n of [1, 3]) await network.waitForSync(n);
    const { files } = await network.client(1).remove('/gone', FOREVER);
    assert.equal(files, 1);
    await eventually(async () => assert.equal(await storedAt(2), before + 1, 'the space of what is gone'));

    await network.client(1).remove('/back', { recursive: false, forever: false });
    await network.waitForTree(3, []);
    await network.end(1, 'couchdb');
    const removed = await network.client(1).emptyTrash(0);
    assert.deepEqual([removed.files, removed.pendingHomes], [1, 1]);
    await network.client(3).restore('/back');
    await network.startOne(1, 'couchdb');
    await eventually(async () => {
      for (const n of [1, 3]) assert.deepEqual(await network.tree(n), ['/back']);
    });
    for (const n of [1, 3]) await network.waitForSync(n);
    for (const n of [1, 3])
      assert.equal(await network.read(n, '/back'), 'removed for ever by one, taken back by the other');
    assert.equal(await storedAt(2), before + 1);
  });
});
