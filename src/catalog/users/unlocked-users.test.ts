import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryHomes } from '../../../test/contract/memory-homes.js';
import { MemoryHost } from '../../../test/contract/memory-host.js';
import { noHeads, sampleAccount, samplePeer, type SampleAccount } from '../../../test/contract/catalog-users.js';
import { silentLogger } from '../../log.js';
import { KeyRing } from './key-ring.js';
import { OpenUser } from './open-user.js';
import { UnlockedUsers } from './unlocked-users.js';
import { UserGenerations } from './user-generations.js';

const peer = samplePeer(1);
const logger = silentLogger();

function usersOf(host: MemoryHost, opened: OpenUser[] = []): UnlockedUsers {
  return new UnlockedUsers(async (user, ring) => {
    const options = { user: user.owner, host, peer, peerName: 'attic', logger, now: () => 0 };
    const generations = new UserGenerations({ ...options, homes: async () => [], heads: noHeads(silentLogger()) });
    const open = await OpenUser.open({ user, ring, peer, logger, generations, home: new MemoryHomes().at(peer) });
    opened.push(open);
    return open;
  });
}

function ringOf({ user, rootKey }: SampleAccount): KeyRing {
  return KeyRing.open(user, rootKey);
}

function isWiped(ring: KeyRing): boolean {
  const { catalogKey, directoryKey } = ring.current;
  return [...catalogKey, ...directoryKey].every((byte) => byte === 0);
}

test('a user who is unlocked while being locked is opened after the databases were closed', async () => {
  const account = sampleAccount();
  const opened: OpenUser[] = [];
  const users = usersOf(new MemoryHost(), opened);
  const first = await users.acquire(account.user, ringOf(account));
  let finish = (): void => undefined;
  const working = first.with(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  const releasing = users.release(account.user.owner);
  const acquiring = users.acquire(account.user, ringOf(account));
  assert.equal(opened.length, 1);
  finish();
  await working;
  await releasing;
  const second = await acquiring;
  assert.equal(opened.length, 2);
  assert.deepEqual(await second.with((catalog) => catalog.list('/', true)), []);
  await users.release(account.user.owner);
});

test('keys that are not needed, or not any more, are wiped', async () => {
  const account = sampleAccount();
  const users = usersOf(new MemoryHost());
  const [first, second] = [ringOf(account), ringOf(account)];
  await users.acquire(account.user, first);
  await users.acquire(account.user, second);
  assert.ok(isWiped(second));
  await users.release(account.user.owner);
  assert.ok(!isWiped(first));
  assert.equal(users.has(account.user.owner), true);
  await users.release(account.user.owner);
  assert.ok(isWiped(first));
  assert.equal(users.has(account.user.owner), false);
});

test('keys of a user who could not be opened are wiped', async () => {
  const account = sampleAccount();
  const host = new MemoryHost();
  host.names = async () => {
    throw new Error('the disk is gone');
  };
  const ring = ringOf(account);
  await assert.rejects(usersOf(host).acquire(account.user, ring), /the disk is gone/);
  assert.ok(isWiped(ring));
});

test('keys are wiped when what they are for cannot be opened, or not be closed', async () => {
  const account = sampleAccount();
  const failing = new UnlockedUsers(() => Promise.reject(new Error('no database')));
  const ring = ringOf(account);
  await assert.rejects(failing.acquire(account.user, ring), /no database/);
  assert.ok(isWiped(ring));

  const host = new MemoryHost();
  const users = usersOf(host);
  const [first, second] = [ringOf(account), ringOf(account)];
  await users.acquire(account.user, first);
  for (const database of host.databases.values()) database.close = () => Promise.reject(new Error('the disk is gone'));
  const releasing = users.release(account.user.owner);
  const acquiring = users.acquire(account.user, second);
  await assert.rejects(releasing, /the disk is gone/);
  assert.ok(isWiped(first));
  await acquiring;
  assert.ok(!isWiped(second));
  await assert.rejects(users.release(account.user.owner), /the disk is gone/);
  assert.ok(isWiped(second));
});
