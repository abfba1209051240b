import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { StorageError } from '../errors.js';
import { MAX_ARGON2_MEMORY_KIB, MAX_PASSPHRASE_BYTES } from '../limits.js';
import { DEFAULT_ARGON2_COST, unwrapRootKey, type Wrap, wrapRootKey } from './passphrase.js';
import { newRootKey } from './root-key.js';

const owner = { user: 'ab'.repeat(32), version: 1 };
const rootKey = newRootKey();

async function refused(
  run: Promise<unknown>,
  code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNSUPPORTED' | 'CORRUPT',
) {
  await assert.rejects(run, (error) => StorageError.is(error, code));
}

describe('a wrapped root key', () => {
  let wrap: Wrap;
  before(async () => {
    wrap = await wrapRootKey('Stra\u00dfe \u2460', rootKey, owner);
  });

  test('opens with the passphrase, however it was typed', async () => {
    assert.deepEqual(await unwrapRootKey('Stra\u00dfe 1', wrap, owner), Buffer.from(rootKey));
  });

  test('does not open with another passphrase, for another user or as another version', async () => {
    await refused(unwrapRootKey('strasse 1', wrap, owner), 'UNAUTHENTICATED');
    await refused(unwrapRootKey('Stra\u00dfe 1', wrap, { ...owner, user: 'cd'.repeat(32) }), 'UNAUTHENTICATED');
    await refused(unwrapRootKey('Stra\u00dfe 1', wrap, { ...owner, version: 2 }), 'UNAUTHENTICATED');
  });

  test('does not open when a part of it was changed', async () => {
    for (const at of [0, 32, 79]) {
      const sealed = wrap.sealed.slice();
      sealed[at] = (sealed[at] ?? 0) ^ 1;
      await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, sealed }, owner), 'UNAUTHENTICATED');
    }
    const salt = wrap.salt.slice();
    salt[0] = (salt[0] ?? 0) ^ 1;
    await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, salt }, owner), 'UNAUTHENTICATED');
    await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, passes: wrap.passes + 1 }, owner), 'UNAUTHENTICATED');
  });

  test('with weaker settings is refused before the passphrase is used', async () => {
    for (const weaker of [{ memoryKib: 1024 }, { passes: 1 }, { lanes: 0 }, { passes: Number.NaN }, { passes: 3.5 }]) {
      await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, ...weaker }, owner), 'PERMISSION_DENIED');
    }
    await refused(
      wrapRootKey('x', rootKey, { ...owner, cost: { ...DEFAULT_ARGON2_COST, passes: 2 } }),
      'PERMISSION_DENIED',
    );
  });

  test('with settings that would exhaust the machine is refused', async () => {
    for (const stronger of [{ memoryKib: MAX_ARGON2_MEMORY_KIB + 1 }, { passes: 17 }, { lanes: 17 }]) {
      await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, ...stronger }, owner), 'UNSUPPORTED');
    }
  });

  test('of the wrong shape is damaged', async () => {
    await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, salt: new Uint8Array(15) }, owner), 'CORRUPT');
    await refused(unwrapRootKey('Stra\u00dfe 1', { ...wrap, sealed: new Uint8Array(81) }, owner), 'CORRUPT');
  });

  test('is never the same twice', async () => {
    const again = await wrapRootKey('Stra\u00dfe \u2460', rootKey, owner);
    assert.notDeepEqual(again.salt, wrap.salt);
    assert.notDeepEqual(again.sealed, wrap.sealed);
  });
});

test('a passphrase has 1 to MAX_PASSPHRASE_BYTES bytes', async () => {
  for (const passphrase of ['', 'x'.repeat(MAX_PASSPHRASE_BYTES + 1)]) {
    await assert.rejects(wrapRootKey(passphrase, rootKey, owner), (error) =>
      StorageError.is(error, 'INVALID_ARGUMENT'),
    );
  }
});

test('an abort rejects with its reason', async () => {
  const reason = new Error('enough');
  await assert.rejects(wrapRootKey('x', rootKey, { ...owner, signal: AbortSignal.abort(reason) }), reason);
});
