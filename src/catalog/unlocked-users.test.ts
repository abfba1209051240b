import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDocuments } from '../../test/contract/memory-documents.js';
import { openUserCatalog, sampleUser } from '../../test/contract/catalog-users.js';
import { UnlockedUsers } from './unlocked-users.js';

/** Closing waits until it is told to go on. */
class SlowDocuments extends MemoryDocuments {
  isOpen = true;
  finish: () => void = () => undefined;

  override async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.finish = resolve;
    });
    this.isOpen = false;
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('a user who is unlocked while being locked is opened after the database was closed', async () => {
  const user = sampleUser();
  const opened: SlowDocuments[] = [];
  const users = new UnlockedUsers((_, keys) => {
    assert.ok(
      opened.every(({ isOpen }) => !isOpen),
      'one at a time',
    );
    const documents = new SlowDocuments();
    opened.push(documents);
    return openUserCatalog({ ...user, keys: () => keys }, documents);
  });
  await users.acquire(user.id, user.keys());
  const releasing = users.release(user.id);
  const acquiring = users.acquire(user.id, user.keys());
  await turn();
  await turn();
  assert.equal(opened.length, 1);
  opened[0]?.finish();
  await releasing;
  const catalog = await acquiring;
  assert.equal(opened.length, 2);
  assert.deepEqual(catalog.list('/', true), []);
});

test('keys that are not needed, or not any more, are wiped', async () => {
  const user = sampleUser();
  const users = new UnlockedUsers((_, keys) => openUserCatalog({ ...user, keys: () => keys }, new MemoryDocuments()));
  const [first, second] = [user.keys(), user.keys()];
  await users.acquire(user.id, first);
  await users.acquire(user.id, second);
  assert.ok(second.catalogKey.every((byte) => byte === 0));
  await users.release(user.id);
  assert.ok(first.catalogKey.some((byte) => byte !== 0));
  assert.equal(users.has(user.id), true);
  await users.release(user.id);
  assert.ok(first.catalogKey.every((byte) => byte === 0) && first.directoryKey.every((byte) => byte === 0));
  assert.equal(users.has(user.id), false);

  const failing = new UnlockedUsers(() => Promise.reject(new Error('disk')));
  const third = user.keys();
  await assert.rejects(failing.acquire(user.id, third), /disk/);
  assert.ok(third.catalogKey.every((byte) => byte === 0));
});
