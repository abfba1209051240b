import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sampleExtent, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { samplePeer, type SampleAccount } from '../../../test/contract/catalog-users.js';
import { MemoryHomes } from '../../../test/contract/memory-homes.js';
import { MemoryHost } from '../../../test/contract/memory-host.js';
import {
  databaseOf,
  first,
  one,
  onlyNewest,
  openAt,
  owner,
  paths,
  renew,
  second,
  settled,
  stripe,
  two,
  until,
} from '../../../test/contract/rotated-user.js';
import { userDatabase } from '../../chunk/database-names.js';
import type { PeerId } from '../../chunk/ids.js';
import type { Document } from '../../documents/document-database.js';
import type { NewVersion } from '../catalog.js';
import type { OpenUser } from './open-user.js';

let homes: MemoryHomes;
const open = (host: MemoryHost, account: SampleAccount, peer?: PeerId): Promise<OpenUser> =>
  openAt(homes, host, account, peer);

beforeEach(() => {
  homes = new MemoryHomes();
});

describe('what comes into a former generation', () => {
  const large = sampleVersion(
    '/large',
    Array.from({ length: 900 }, () => sampleExtent(stripe.id)),
  );

  /** Documents that the second peer wrote into the first generation, and that no other peer has yet. */
  async function written(version: NewVersion, host: MemoryHost): Promise<Document[]> {
    const away = new MemoryHost();
    await copy(databaseOf(host, 1).values(), away);
    const before = new Set(databaseOf(away, 1).keys());
    const user = await open(away, first, two);
    await user.with((catalog) => catalog.commit([version]));
    await user.close();
    return [...databaseOf(away, 1).values()].filter(({ _id }) => !before.has(_id));
  }

  /** As replication brings them. */
  async function copy(documents: Iterable<Document>, host: MemoryHost): Promise<void> {
    const database = await host.open(userDatabase(owner, 1));
    await database.put([...documents]);
  }

  /** The first peer has rotated the keys, and the second one has not heard of it. */
  async function rotated(): Promise<{ host: MemoryHost; user: OpenUser; late: Document[] }> {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit([sampleVersion('/early')]));
    const late = await written(sampleVersion('/late'), host);
    renew(user, second);
    await until(() => homes.words.get(one)?.generation === 2);
    return { host, user, late };
  }

  test('is brought over while the user is unlocked, and it goes when every home has the new one', async () => {
    const { host, user, late } = await rotated();
    assert.equal(user.rotation.state, 'none');
    await copy(late, host);
    await until(async () => (await paths(user)).includes('/late'));
    assert.ok(databaseOf(host, 1).size > 0);
    homes.set(two, 2);
    user.lookAgain();
    await onlyNewest(host);
    assert.deepEqual(await paths(user), ['/early', '/late']);
    await user.close();
  });

  test('is brought over at the next unlock, which is no rotation', async () => {
    const { host, user, late } = await rotated();
    await user.close();
    await copy(late, host);
    const again = await open(host, second);
    assert.equal(again.rotation.state, 'none');
    await until(async () => (await paths(again)).includes('/late'));
    await again.close();
  });

  test('comes in any order: a large file waits for its extents', async () => {
    const { host, user } = await rotated();
    const documents = await written(large, host);
    const isChange = ({ _id }: Document): boolean => _id.startsWith('change-');
    homes.set(two, 2);
    await copy(documents.filter(isChange), host);
    user.lookAgain();
    for (const extents of documents.filter((document) => !isChange(document))) {
      assert.ok(!(await paths(user)).includes('/large'));
      await copy([extents], host);
    }
    await until(async () => (await paths(user)).includes('/large'));
    assert.equal((await user.with((catalog) => catalog.manifest('/large'))).extents.length, 900);
    user.lookAgain();
    await onlyNewest(host);
    await user.close();
  });

  test('is not waited for when nobody believes it', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit([sampleVersion('/early')]));
    const [sealed] = await written(sampleVersion('/late'), host);
    assert.ok(sealed !== undefined);
    await copy(
      [{ ...sealed, signature: Buffer.alloc(64).toString('base64') }, { _id: `state-${'0'.repeat(64)}` }],
      host,
    );
    homes.set(two, 2);
    renew(user, second);
    await settled(user);
    await onlyNewest(host);
    assert.deepEqual([await paths(user), homes.words.get(one)?.generation], [['/early'], 2]);
    await user.close();
  });

  test('a peer that is new to the user says that it has the newest only when that has come', async () => {
    const { host, user } = await rotated();
    const fresh = new MemoryHost();
    const other = await open(fresh, second, samplePeer(3));
    assert.equal(homes.words.get(samplePeer(3))?.generation, 0);
    const newest = await fresh.open(userDatabase(owner, 2));
    await newest.put([...databaseOf(host, 2).values()]);
    await until(() => homes.words.get(samplePeer(3))?.generation === 2);
    await other.close();
    await user.close();
  });

  test('a peer that is new to the user says so when it uses a former one until then', async () => {
    const { host, user } = await rotated();
    const fresh = new MemoryHost();
    await copy(databaseOf(host, 1).values(), fresh);
    const other = await open(fresh, second, samplePeer(3));
    assert.deepEqual(await paths(other), ['/early']);
    assert.equal(homes.words.get(samplePeer(3))?.generation, 1, 'it may write there');
    await other.close();
    await user.close();
  });

  test('a home that uses a former generation again says so', async () => {
    const { host, user } = await rotated();
    await user.close();
    await host.drop(userDatabase(owner, 2));
    const again = await open(host, second);
    await until(() => homes.words.get(one)?.generation === 2);
    assert.deepEqual(homes.history, [1, 1, 2, 1, 2]);
    assert.deepEqual(await paths(again), ['/early']);
    await again.close();
  });
});
