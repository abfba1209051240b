import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import {
  noHeads,
  rotatedAccount,
  sampleAccount,
  samplePeer,
  type SampleAccount,
} from '../../../test/contract/catalog-users.js';
import { MemoryHomes } from '../../../test/contract/memory-homes.js';
import { MemoryHost } from '../../../test/contract/memory-host.js';
import { userDatabase } from '../../chunk/database-names.js';
import type { PeerId } from '../../chunk/ids.js';
import type { Document } from '../../documents/document-database.js';
import { deriveUserKeys } from '../../crypto/root-key.js';
import { silentLogger } from '../../log.js';
import type { KeyRotation, NewVersion } from '../catalog.js';
import { KeyRing } from './key-ring.js';
import { OpenUser } from './open-user.js';
import { UserGenerations } from './user-generations.js';
import { readSealed } from '../view/sealed-document.js';

const logger = silentLogger();
const [one, two] = [samplePeer(1), samplePeer(2)];
const first = sampleAccount();
const { owner } = first.user;
const second = rotatedAccount(first, one);
const stripe = sampleStripe(owner);
const FILES = 5000;

function files(folder: string, count = FILES): NewVersion[] {
  return Array.from({ length: count }, (_, index) =>
    sampleVersion(`/${folder}/${String(index % 9)}/${String(index)}`, [sampleExtent(stripe.id)]),
  );
}

let homes: MemoryHomes;
beforeEach(() => {
  homes = new MemoryHomes();
});

async function open(host: MemoryHost, account: SampleAccount, peer: PeerId = one): Promise<OpenUser> {
  const options = { user: owner, host, peer, peerName: 'attic', logger, now: () => 1_700_000_000_000 };
  const generations = new UserGenerations({
    ...options,
    homes: async () => [...homes.words.keys()],
    heads: noHeads(silentLogger()),
  });
  const ring = KeyRing.open(account.user, account.rootKey);
  const user = await OpenUser.open({ user: account.user, ring, peer, logger, generations, home: homes.at(peer) });
  await user.arrive();
  return user;
}

async function paths(user: OpenUser): Promise<string[]> {
  return user.with((catalog) => catalog.list('/', true).map(({ path }) => path));
}

/** Gives the user new keys while the catalog is open, as UserAccess does. */
function renew(user: OpenUser, account: SampleAccount): void {
  user.renew(account.user, KeyRing.open(account.user, account.rootKey));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when nothing is left of a rotation. */
function settled(user: OpenUser): Promise<void> {
  return until(() => user.rotation.state === 'none');
}

/** Resolves when former generations are gone. */
function onlyNewest(host: MemoryHost): Promise<void> {
  return until(() => [...host.databases.keys()].join() === userDatabase(owner, 2));
}

function advance(user: OpenUser, onProgress?: (rotation: KeyRotation) => void): Promise<void> {
  const { signal } = new AbortController();
  return user.advance({ signal, ...(onProgress && { onProgress }) });
}

function databaseOf(host: MemoryHost, generation: number): ReadonlyMap<string, Document> {
  return host.databases.get(userDatabase(owner, generation))?.documents ?? new Map();
}

describe('rotating keys', () => {
  test('moves everything under the new ones, tells how far it is, and retires the former generation', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    const [version] = files('before');
    assert.ok(version !== undefined);
    await user.with((catalog) => catalog.commit([version, ...files('before').slice(1)]));
    await user.with((catalog) => catalog.commit([{ ...version, manifest: { ...sampleVersion('/x').manifest } }]));
    const before = await paths(user);
    assert.deepEqual(user.rotation, { generation: 1, state: 'none', done: 0, total: 0 });

    renew(user, second);
    assert.equal(user.rotation.state, 'running');
    const told: KeyRotation[] = [];
    await advance(user, (rotation) => told.push(rotation));

    assert.deepEqual(await paths(user), before);
    assert.equal(await user.with((catalog) => catalog.versions(version.path).length), 2);
    assert.deepEqual(
      await user.with((catalog) => catalog.manifest(version.path, version.manifest.version)),
      version.manifest,
    );
    await onlyNewest(host);
    const totals = new Set(told.map(({ total }) => total));
    assert.equal(totals.size, 1);
    assert.ok(told.length > 2 && told.every(({ generation, done, total }) => generation === 2 && done <= total));
    assert.deepEqual(told.at(-1), { generation: 2, state: 'none', done: told[0]?.total, total: told[0]?.total });
    await user.close();
  });

  test('keeps what is written meanwhile, and calls that are under way', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit(files('before', 500)));
    renew(user, second);
    let count = 0;
    const rotating = advance(user);
    while (user.rotation.state === 'running') {
      const name = String(count++);
      await user.with((catalog) => catalog.commit([sampleVersion(`/meanwhile/${name}`)]));
      assert.equal((await user.with((catalog) => catalog.stat(`/meanwhile/${name}`))).type, 'file');
    }
    await rotating;
    const meanwhile = (await paths(user)).filter((path) => path.startsWith('/meanwhile/'));
    assert.equal(meanwhile.length, count);
    await user.close();
    const again = await open(host, second);
    assert.equal((await paths(again)).length, 500 + count + 11);
    await again.close();
  });

  test('stops when it is told to, or killed, and goes on at the next unlock', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit(files('before')));
    const before = await paths(user);
    renew(user, second);
    const stop = new AbortController();
    const pausing = user.advance({ signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(pausing, { name: 'AbortError' });
    assert.deepEqual(await paths(user), before);
    const written = databaseOf(host, 2).size;
    assert.ok(written > 0 && databaseOf(host, 1).size > 0);
    // Not closed: as a process that was killed leaves it. A write of it may still come later.
    const later = await open(host, second);
    await later.with((catalog) => catalog.commit([sampleVersion('/later')]));
    await settled(later);
    assert.deepEqual(await paths(later), [...before, '/later'].sort());
    await onlyNewest(host);
    await later.close();
  });

  test('seals nothing under wiped keys, and goes on, when still newer keys come while it is under way', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit(files('before')));
    const before = await paths(user);
    renew(user, second);
    const third = rotatedAccount(second, one, [first.rootKey]);
    let told = 0;
    const overtaken = advance(user, () => {
      if (++told === 1) renew(user, third);
    });
    await assert.rejects(overtaken, { name: 'AbortError' });
    const keys = deriveUserKeys(second.rootKey);
    const sealed = [...databaseOf(host, 2).values()];
    assert.ok(sealed.length > 0);
    for (const document of sealed) readSealed(document, { type: 'state', user: owner }, keys);
    await settled(user);
    assert.equal(user.rotation.generation, 3);
    assert.deepEqual(await paths(user), before);
    await user.close();
  });

  test('can be slowed down', async () => {
    const host = new MemoryHost();
    const user = await open(host, first);
    await user.with((catalog) => catalog.commit(files('before')));
    renew(user, second);
    const stop = new AbortController();
    let told = 0;
    const slow = user.advance({
      signal: stop.signal,
      entriesPerSecond: 0.001,
      onProgress: () => {
        told++;
        if (told === 2) stop.abort();
      },
    });
    // The first page is free, the second would have to wait for a quarter of an hour.
    await assert.rejects(slow, { name: 'AbortError' });
    assert.equal(user.rotation.state, 'running');
    await user.close();
  });
});

describe('a peer that was away while keys were rotated elsewhere', () => {
  /** Both peers have the first generation; the second peer then writes apart. */
  async function apart(): Promise<{ here: MemoryHost; away: MemoryHost }> {
    const [here, away] = [new MemoryHost(), new MemoryHost()];
    const user = await open(here, first);
    await user.with((catalog) => catalog.commit(files('both', 50)));
    await user.close();
    await replicate(here, away, 1);
    const other = await open(away, first, two);
    await other.with((catalog) => catalog.commit([sampleVersion('/away'), ...files('also', 5)]));
    await other.with((catalog) => catalog.remove('/both/1', { recursive: true, forever: true }));
    await other.close();
    const rotated = await open(here, second);
    await settled(rotated);
    await rotated.with((catalog) => catalog.commit([sampleVersion('/here')]));
    await rotated.close();
    return { here, away };
  }

  async function replicate(from: MemoryHost, to: MemoryHost, generation: number): Promise<void> {
    const name = userDatabase(owner, generation);
    const [source, target] = [await from.open(name), await to.open(name)];
    for (const prefix of ['state-', 'change-', 'extents-']) {
      for await (const page of source.list(prefix)) {
        await target.put(page.flatMap(({ document }) => document ?? []));
      }
    }
  }

  test('brings over what it wrote, with its stamps', async () => {
    const { here, away } = await apart();
    await replicate(here, away, 2);
    const user = await open(away, second, two);
    await settled(user);
    const there = await paths(user);
    for (const path of ['/away', '/here', '/also/0/0', '/both/0/0']) assert.ok(there.includes(path), path);
    assert.ok(!there.includes('/both/1'), 'what was removed away stays so');
    await onlyNewest(away);
    await user.close();
    await replicate(away, here, 2);
    const back = await open(here, second);
    assert.deepEqual(await paths(back), there);
    await back.close();
  });

  test('works on in the former generation until the new one has come, and does not seal it anew by itself', async () => {
    const { here, away } = await apart();
    const user = await open(away, second, two);
    assert.ok((await paths(user)).includes('/away'));
    await user.with((catalog) => catalog.commit([sampleVersion('/waiting')]));
    assert.equal(user.rotation.state, 'running');
    assert.equal(databaseOf(away, 2).size, 0);
    await replicate(here, away, 2);
    await settled(user);
    for (const path of ['/away', '/waiting', '/here']) assert.ok((await paths(user)).includes(path), path);
    await user.close();
  });

  test('seals it anew all the same when it is told to', async () => {
    const { away } = await apart();
    const user = await open(away, second, two);
    await user.advance({ signal: new AbortController().signal, force: true });
    assert.equal(user.rotation.state, 'none');
    assert.ok((await paths(user)).includes('/away'));
    await user.close();
  });

  test('without the former generation, takes the new one as it comes', async () => {
    const { here } = await apart();
    const fresh = new MemoryHost();
    const user = await open(fresh, second, two);
    assert.deepEqual([await paths(user), user.rotation.state], [[], 'none']);
    const come = new Promise<void>((resolve) => {
      void user.with((catalog) => catalog.onChange(resolve));
    });
    await replicate(here, fresh, 2);
    await come;
    while (!(await paths(user)).includes('/here')) await new Promise((resolve) => setImmediate(resolve));
    await user.close();
  });
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

test('a locked user does nothing any more', async () => {
  const user = await open(new MemoryHost(), first);
  await user.close();
  await user.close();
  await assert.rejects(
    user.with((catalog) => catalog.list('/', true)),
    { code: 'LOCKED' },
  );
});
