import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { syncLines } from '../../src/cli/sync-lines.js';
import { eventually, SyncNetwork } from './sync-network.js';

const TODAY = /^\/shared \(conflict \d{4}-\d\d-\d\d peer-[13]\)\.txt$/;

describe('two peers of one user that edit while apart', { timeout: 120_000 }, () => {
  it('show the same tree when a backup host is back, and nothing is lost', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 2, separate: ['couchdb'] });
    await network.unlock(1);
    await network.unlock(3);
    await network.put(1, '/before/moved', 'moved by both');
    await network.put(1, '/before/removed', 'removed by one, changed by the other');
    await network.put(1, '/gone', 'removed by both');
    await network.waitForTree(3, ['/before/', '/before/moved', '/before/removed', '/gone']);

    for (const host of [1, 2]) await network.end(host, 'couchdb');
    await edit(network, 1, { moveTo: '/here', remove: true });
    await edit(network, 3, { moveTo: '/there', remove: false });
    await eventually(async () => {
      for (const line of syncLines(await network.sync(3))) assert.match(line, /peer-[12]: 3 databases wait: .*502/);
    });

    for (const host of [1, 2]) await network.startOne(host, 'couchdb');
    await eventually(async () => {
      const [one, three] = await Promise.all([network.tree(1), network.tree(3)]);
      assert.ok(one.includes('/only-3') && three.includes('/only-1'), 'each has what the other did');
      assert.deepEqual(one, three);
    });
    // The stripes of a file may come after its name.
    await eventually(async () => verify(network, await network.tree(1)));
    // A version that somebody else added to what was removed is in the trash with it.
    await network.client(3).restore('/before/removed');
    await eventually(async () => {
      assert.equal(await network.read(1, '/before/removed'), 'changed while it was removed');
    });
    for (const n of [1, 3]) await network.waitForSync(n);
    assert.deepEqual(syncLines(await network.sync(3)).sort(), [
      'Backup   peer-1: all copied',
      'Backup   peer-2: all copied',
    ]);
  });
});

async function edit(
  network: SyncNetwork,
  n: number,
  does: { readonly moveTo: string; readonly remove: boolean },
): Promise<void> {
  const client = network.client(n);
  await network.put(n, '/shared.txt', `shared, as peer ${String(n)} has it`);
  await network.put(n, `/only-${String(n)}`, `only at ${String(n)}`);
  await client.makeFolder('/both');
  await network.put(n, `/both/${String(n)}`, `in the folder of both, ${String(n)}`);
  await client.move('/before/moved', does.moveTo);
  if (does.remove) await client.remove('/before/removed', { recursive: false, forever: false });
  else await network.put(n, '/before/removed', 'changed while it was removed');
  await client.remove('/gone', { recursive: false, forever: false });
}

/** Both bytes of what both wrote are there; of a file that both moved there is one; nothing removed is back unchanged. */
async function verify(network: SyncNetwork, tree: readonly string[]): Promise<void> {
  const files = tree.filter((path) => !path.endsWith('/'));
  const contents = new Map<string, string>();
  for (const path of files) {
    const [one, three] = await Promise.all([network.read(1, path), network.read(3, path)]);
    assert.equal(one, three, path);
    contents.set(path, one);
  }
  const shared = files.filter((path) => path.startsWith('/shared'));
  assert.deepEqual(shared.map((path) => contents.get(path)).sort(), [
    'shared, as peer 1 has it',
    'shared, as peer 3 has it',
  ]);
  assert.ok(shared.includes('/shared.txt'));
  assert.equal(shared.filter((path) => TODAY.test(path)).length, 1, shared.join(', '));
  for (const n of ['1', '3']) {
    assert.equal(contents.get(`/only-${n}`), `only at ${n}`);
    assert.equal(contents.get(`/both/${n}`), `in the folder of both, ${n}`);
  }
  assert.equal(tree.filter((path) => path === '/both/').length, 1);
  const moved = files.filter((path) => contents.get(path) === 'moved by both');
  assert.ok(moved.length === 1 && ['/here', '/there'].includes(moved[0] ?? ''), moved.join(', '));
  assert.ok(!files.includes('/gone'));
}
