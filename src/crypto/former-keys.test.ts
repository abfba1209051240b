import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../errors.js';
import { type FormerKey, openFormerKeys, sealFormerKeys } from './former-keys.js';
import { newRootKey } from './root-key.js';

const user = 'ab'.repeat(32);
const former = [newRootKey(), newRootKey()];
const rootKey = newRootKey();
const sealed = sealFormerKeys(user, former, rootKey);

test('older root keys come out of the newest, in order', () => {
  assert.deepEqual(
    openFormerKeys(user, sealed, rootKey).map((key) => Buffer.from(key)),
    former.map((key) => Buffer.from(key)),
  );
  assert.deepEqual(openFormerKeys(user, [], rootKey), []);
});

test("swapped, altered, another user's or under another root key: none opens", () => {
  const [one, two] = sealed as [FormerKey, FormerKey];
  const isCorrupt = (error: unknown): boolean => StorageError.is(error, 'CORRUPT');
  assert.throws(() => openFormerKeys(user, [two, one], rootKey), isCorrupt);
  assert.throws(() => openFormerKeys(user, [{ ...one, sealed: two.sealed }, two], rootKey), isCorrupt);
  assert.throws(() => openFormerKeys('cd'.repeat(32), sealed, rootKey), isCorrupt);
  assert.throws(() => openFormerKeys(user, sealed, newRootKey()), isCorrupt);
  const altered = Uint8Array.from(one.sealed);
  altered[40] = (altered[40] ?? 0) ^ 1;
  assert.throws(() => openFormerKeys(user, [{ ...one, sealed: altered }, two], rootKey), isCorrupt);
});
