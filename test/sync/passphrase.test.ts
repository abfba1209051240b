import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { userDocumentId } from '../../src/catalog/users/user-document.js';
import { proveRetired } from '../../src/catalog/users/retired-passphrase.js';
import type { UserRecords } from '../../src/catalog/users/user-records.js';
import { NETWORK_DATABASE } from '../../src/chunk/database-names.js';
import { parseUserId, type UserId } from '../../src/chunk/ids.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { HOME } from '../../src/home.js';
import { silentLogger } from '../../src/log.js';
import { eventually, failureOf, PASSPHRASE, SyncNetwork } from './sync-network.js';

const SECOND = 'a second passphrase';
const THIRD = 'a third passphrase';

describe('a passphrase that is changed at one peer', { timeout: 120_000 }, () => {
  it('is dead at every peer, and in every database', async () => {
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 2, separate: ['couchdb'] });
    for (const n of [1, 3]) await network.unlock(n);
    await network.put(1, '/file', 'there');
    await network.waitForTree(3, ['/file']);

    await network.end(2, 'couchdb');
    const { pendingHosts, user } = await network.client(1).changePassphrase({
      ...{ name: 'demo', old: PASSPHRASE, next: SECOND },
    });
    assert.deepEqual(pendingHosts, ['peer-2']);
    assert.deepEqual(await network.tree(1), ['/file'], 'who changed it stays unlocked');
    await eventually(async () => {
      assert.equal((await failureOf(network.tree(3))).code, 'LOCKED');
    });
    await network.startOne(2, 'couchdb');
    await verifyOnly(network, SECOND, PASSPHRASE);

    const { words } = await network.client(1).makeKit('demo', SECOND);
    await eventually(async () => {
      assert.equal((await network.client(3).users())[0]?.kit, true);
    });
    await network.client(3).recover({ name: 'demo', words: words.join(' '), next: THIRD });
    await eventually(async () => {
      assert.equal((await failureOf(network.tree(1))).code, 'LOCKED');
    });
    await verifyOnly(network, THIRD, SECOND);
    for (const n of [1, 2, 3]) await network.waitForSync(n);
    for (const n of [3, 2, 1]) await network.stop(n);
    const places = [1, 2, 3].map((n) => join(network.home(n), HOME.documents));
    places.push(...[1, 2].map((n) => join(network.home(n), HOME.couch)));
    for (const place of places) await verifyRetired(place, parseUserId(user.id));
  });
});

/** At every peer the one passphrase is right, and the other wrong. */
async function verifyOnly(network: SyncNetwork, right: string, wrong: string): Promise<void> {
  for (const n of network.numbers) {
    await eventually(() => network.unlock(n, right));
    assert.equal((await failureOf(network.unlock(n, wrong))).code, 'UNAUTHENTICATED', `at peer ${String(n)}`);
  }
}

/** No text of the user that these databases still have opens with a passphrase that was given up. */
async function verifyRetired(directory: string, user: UserId): Promise<void> {
  await using host = await LevelHost.open({ directory, logger: silentLogger() });
  await using database = await host.open(NETWORK_DATABASE);
  const texts = (await database.texts(userDocumentId(user))).flatMap(({ signed }) =>
    typeof signed === 'string' ? [Uint8Array.from(Buffer.from(signed, 'base64'))] : [],
  );
  assert.ok(texts.length > 0, directory);
  const records = { userTexts: async () => texts } as Pick<UserRecords, 'userTexts'> as UserRecords;
  for (const passphrase of [PASSPHRASE, SECOND]) await proveRetired(records, user, passphrase);
  await assert.rejects(proveRetired(records, user, THIRD), 'the one that is right opens it');
}
