import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LocalCatalog } from '../../src/catalog/local-catalog.js';
import { peerRecordId } from '../../src/catalog/records/network-records.js';
import { NETWORK_DATABASE } from '../../src/chunk/database-names.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { HOME, readIdentity } from '../../src/home.js';
import { silentLogger } from '../../src/log.js';
import { eventually, SyncNetwork } from './sync-network.js';

const FILES = Array.from({ length: 20 }, (_, i) => `/folder/file-${String(i).padStart(2, '0')}`);

describe('a new machine that knows one backup host', { timeout: 120_000 }, () => {
  it('has all files of whoever unlocks there', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 1 });
    await network.unlock(1);
    for (const path of FILES) await network.put(1, path, `what is in ${path}`);
    await network.stop(3);
    await beginAnew(network.home(3), network.home(1));
    await network.start(3);
    await eventually(() => network.unlock(3));
    await network.waitForTree(3, ['/folder/', ...FILES]);
    await eventually(async () => {
      for (const path of FILES) assert.equal(await network.read(3, path), `what is in ${path}`);
    });
    // It is a peer like any other: what is written there is everywhere.
    await network.put(3, '/folder/new', 'from the new machine');
    await network.waitForTree(1, ['/folder/', ...FILES, '/folder/new']);
    await network.waitForSync(3);
  });
});

/** Leaves a home its identity, and of the network's records that of one backup host. */
async function beginAnew(home: string, host: string): Promise<void> {
  await using databases = await LevelHost.open({ directory: join(home, HOME.documents), logger: silentLogger() });
  await using database = await databases.open(NETWORK_DATABASE);
  const record = await database.get(peerRecordId((await readIdentity(host)).id));
  assert.ok(record !== undefined);
  await databases.close();
  const kept = new Set<string>([HOME.key, HOME.certificate, HOME.authority, 'config.json']);
  for (const name of await readdir(home)) {
    if (!kept.has(name)) await rm(join(home, name), { recursive: true });
  }
  const { membership } = await readIdentity(home);
  await using catalog = await LocalCatalog.open({
    directory: join(home, HOME.documents),
    state: join(home, HOME.state),
    membership,
    logger: silentLogger(),
  });
  await catalog.takeRecords([record]);
}
