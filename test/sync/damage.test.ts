import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { syncLines } from '../../src/cli/sync-lines.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { HOME } from '../../src/home.js';
import { silentLogger } from '../../src/log.js';
import { eventually, SyncNetwork } from './sync-network.js';

const FILES = Array.from({ length: 20 }, (_, i) => `/folder/file-${String(i).padStart(2, '0')}`);

describe('databases that are lost', { timeout: 180_000 }, () => {
  it('come back to backup hosts from the peers, and to a peer from the backup hosts', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 2, separate: ['couchdb'] });
    for (const n of [1, 3]) await network.unlock(n);
    for (const path of FILES) await network.put(1, path, `what is in ${path}`);
    await network.waitForTree(3, ['/folder/', ...FILES]);

    for (const host of [1, 2]) {
      await network.end(host, 'couchdb');
      await rm(join(network.home(host), HOME.couch), { recursive: true });
      await network.startOne(host, 'couchdb');
      await network.put(3, `/after-${String(host)}`, 'written after a loss');
      await eventually(async () => {
        assert.equal(await network.read(1, `/after-${String(host)}`), 'written after a loss');
      });
      for (const n of [1, 3]) await network.waitForSync(n);
    }

    await network.stop(3);
    const damaged = await damage(join(network.home(3), HOME.documents));
    await network.start(3);
    await eventually(() => network.unlock(3));
    const all = ['/after-1', '/after-2', '/folder/', ...FILES];
    await network.waitForTree(3, all);
    await eventually(async () => {
      for (const path of FILES) assert.equal(await network.read(3, path), `what is in ${path}`);
    });
    const sync = await network.sync(3);
    assert.deepEqual(sync.damaged.map(({ name }) => name).sort(), damaged);
    assert.equal(syncLines(sync).filter((line) => /^Damaged .* was set aside as /.test(line)).length, damaged.length);

    await network.waitForSync(3);
    for (const n of [3, 2, 1]) await network.stop(n);
    const [one, other] = await Promise.all([1, 2].map((host) => contents(join(network.home(host), HOME.couch))));
    assert.ok((one?.length ?? 0) > FILES.length);
    assert.deepEqual(one, other, 'both backup hosts have the same');
    const here = await contents(join(network.home(3), HOME.documents));
    assert.deepEqual(here, one, 'and so has the peer');
  });
});

/** Each database in another way. @returns their names */
async function damage(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  for (const [index, name] of names.entries()) {
    const files = await readdir(join(directory, name));
    const find = (shape: RegExp): string => {
      const found = files.find((file) => shape.test(file));
      assert.ok(found !== undefined, `${name}: ${files.join(' ')}`);
      return join(directory, name, found);
    };
    if (index % 3 === 0) await flip(find(/^MANIFEST-/));
    if (index % 3 === 1) await truncate(find(/^MANIFEST-/), 10);
    if (index % 3 === 2) await rm(find(/^CURRENT$/));
  }
  return names.sort();
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  for (let at = 0; at < bytes.length; at += 7) bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
  await writeFile(file, bytes);
}

/** The ids in all databases of a folder. */
async function contents(directory: string): Promise<string[]> {
  await using host = await LevelHost.open({ directory, logger: silentLogger() });
  const found: string[] = [];
  for (const name of await host.names()) {
    await using database = await host.open(name);
    for await (const page of database.ids('')) {
      found.push(...page.filter((id) => !id.startsWith('_design')).map((id) => `${name.slice(0, 12)} ${id}`));
    }
  }
  assert.deepEqual(host.damaged(), []);
  return found.sort();
}
