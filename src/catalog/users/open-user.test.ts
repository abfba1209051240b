import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sampleExtent, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { rotatedAccount, type SampleAccount } from '../../../test/contract/catalog-users.js';
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
} from '../../../test/contract/rotated-user.js';
import { userDatabase } from '../../chunk/database-names.js';
import type { PeerId } from '../../chunk/ids.js';
import { deriveUserKeys } from '../../crypto/root-key.js';
import type { KeyRotation, NewVersion } from '../catalog.js';
import { readSealed } from '../view/sealed-document.js';
import type { OpenUser } from './open-user.js';

const FILES = 5000;

function files(folder: string, count = FILES): NewVersion[] {
  return Array.from({ length: count }, (_, index) =>
    sampleVersion(`/${folder}/${String(index % 9)}/${String(index)}`, [sampleExtent(stripe.id)]),
  );
}

let homes: MemoryHomes;
const open = (host: MemoryHost, account: SampleAccount, peer?: PeerId): Promise<OpenUser> =>
  openAt(homes, host, account, peer);

beforeEach(() => {
  homes = new MemoryHomes();
});

function advance(user: OpenUser, onProgress?: (rotation: KeyRotation) => void): Promise<void> {
  const { signal } = new AbortController();
  return user.advance({ signal, ...(onProgress && { onProgress }) });
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

test('a locked user does nothing any more', async () => {
  const user = await open(new MemoryHost(), first);
  await user.close();
  await user.close();
  await assert.rejects(
    user.with((catalog) => catalog.list('/', true)),
    { code: 'LOCKED' },
  );
});
