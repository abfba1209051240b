import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { samplePeer } from '../../../test/contract/catalog-users.js';
import { UserStore } from '../../../test/contract/user-store.js';
import { DEFAULT_ARGON2_COST, wrapRootKey } from '../../crypto/passphrase.js';
import { deriveUserKeys } from '../../crypto/root-key.js';
import { linkTo } from '../../crypto/succession.js';
import { StorageError, type ErrorCode } from '../../errors.js';
import { FREE_UNLOCK_ATTEMPTS, MIN_UNLOCK_WAIT_MS } from '../../limits.js';
import { Signed, UserBody } from '../../gen/shoal/v1/format.js';
import { Accounts, type Rotated } from './accounts.js';
import type { KeyRing } from './key-ring.js';
import { proveRetired } from './retired-passphrase.js';
import { type UserDocument, writeUser } from './user-document.js';

const peer = samplePeer(1);

interface Subject {
  readonly store: UserStore;
  readonly accounts: Accounts;
  readonly clock: { ms: number };
}

async function open(context: TestContext): Promise<Subject> {
  const store = await UserStore.open(context);
  const clock = { ms: 1_700_000_000_000 };
  return { store, clock, accounts: new Accounts(store, { now: () => clock.ms }) };
}

function fails(work: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(StorageError.is(error, code), `expected ${code}, got ${String(error)}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

function opens(accounts: Accounts, name: string, passphrase: string): Promise<UserDocument> {
  return accounts.unlock(name, passphrase, async (user, ring) => {
    ring.wipe();
    return user;
  });
}

async function rotate(accounts: Accounts, name: string, passphrase: string): Promise<Rotated> {
  let rotated: Rotated | undefined;
  await accounts.rotateKeys(name, passphrase, peer, (changed) => {
    rotated = changed;
  });
  assert.ok(rotated !== undefined);
  return rotated;
}

async function exported(accounts: Accounts, name: string): Promise<Signed> {
  return Signed.decode(await accounts.export(name));
}

describe('a changed passphrase', () => {
  test('opens, and the old one opens nothing that is still here', async (context) => {
    const { accounts, store } = await open(context);
    const ann = await accounts.create('ann', 'old');
    const former = await accounts.export('ann');
    const changed = await accounts.changePassphrase('ann', 'old', 'new');
    assert.deepEqual([changed.owner, changed.version, changed.generation], [ann.owner, 2, 1]);
    assert.equal((await opens(accounts, 'ann', 'new')).version, 2);
    await fails(opens(accounts, 'ann', 'old'), 'UNAUTHENTICATED');
    assert.equal((await store.database.leaves(`user-${ann.owner}`)).length, 1);
    for (const text of await store.userTexts(ann.owner)) assert.notDeepEqual(Buffer.from(text), Buffer.from(former));
  });

  test('is refused when it is the old one, empty, or the old one is wrong', async (context) => {
    const { accounts } = await open(context);
    await accounts.create('ann', 'Stra\u00dfe \u2460');
    await fails(
      accounts.changePassphrase('ann', 'Stra\u00dfe \u2460', 'Stra\u00dfe 1'),
      'INVALID_ARGUMENT',
      /the old one/,
    );
    await fails(accounts.changePassphrase('ann', 'Stra\u00dfe 1', ''), 'INVALID_ARGUMENT');
    await fails(accounts.changePassphrase('ann', 'wrong', 'new'), 'UNAUTHENTICATED');
    await fails(accounts.changePassphrase('nobody', 'old', 'new'), 'UNAUTHENTICATED');
    assert.equal((await opens(accounts, 'ann', 'Stra\u00dfe 1')).version, 1);
  });

  test('is not called dead while a copy is left that the old one opens', async (context) => {
    const { accounts, store } = await open(context);
    const ann = await accounts.create('ann', 'old');
    const former = await accounts.export('ann');
    await accounts.changePassphrase('ann', 'old', 'new');
    await proveRetired(store, ann.owner, 'old');
    store.userTexts = async () => [former];
    await fails(proveRetired(store, ann.owner, 'old'), 'CONFLICT', /old one still opens/);
    // Whether it is signed does not matter to whoever has the passphrase.
    store.userTexts = async () => [Signed.encode({ ...Signed.decode(former), signature: new Uint8Array(64) }).finish()];
    await fails(proveRetired(store, ann.owner, 'old'), 'CONFLICT');
  });

  test('and wrong kits share the bound on guesses', async (context) => {
    const { accounts, clock } = await open(context);
    await accounts.create('ann', 'p');
    const kit = await accounts.makeKit('ann', 'p');
    for (let count = 0; count < FREE_UNLOCK_ATTEMPTS - 1; count++) {
      await fails(accounts.changePassphrase('ann', `guess ${String(count)}`, 'new'), 'UNAUTHENTICATED');
    }
    const other = (await accounts.makeKit('ann', 'p')).words.join(' ');
    for (let count = 0; count < FREE_UNLOCK_ATTEMPTS; count++) {
      await fails(accounts.recoverWithKit('ann', kit.words.join(' '), 'new'), 'UNAUTHENTICATED');
    }
    await fails(accounts.recoverWithKit('ann', other, 'new'), 'UNAVAILABLE', /Try again in/);
    await fails(opens(accounts, 'ann', 'p'), 'UNAVAILABLE');
    clock.ms += MIN_UNLOCK_WAIT_MS;
    await accounts.recoverWithKit('ann', other, 'new');
  });
});

describe('a recovery kit', () => {
  test('sets a new passphrase, and stays valid', async (context) => {
    const { accounts } = await open(context);
    const ann = await accounts.create('ann', 'forgotten');
    const kit = await accounts.makeKit('ann', 'forgotten');
    assert.equal(kit.user.version, 2);
    const words = kit.words.join(' ');
    assert.equal((await accounts.recoverWithKit('ann', words, 'new')).owner, ann.owner);
    await fails(opens(accounts, 'ann', 'forgotten'), 'UNAUTHENTICATED');
    await accounts.changePassphrase('ann', 'new', 'newer');
    await accounts.recoverWithKit('ann', words, 'newest');
    await opens(accounts, 'ann', 'newest');
  });

  test('is worthless when there is a newer one, or new keys', async (context) => {
    const { accounts } = await open(context);
    await accounts.create('ann', 'p');
    const first = (await accounts.makeKit('ann', 'p')).words.join(' ');
    const second = (await accounts.makeKit('ann', 'p')).words.join(' ');
    await fails(accounts.recoverWithKit('ann', first, 'q'), 'UNAUTHENTICATED');
    (await rotate(accounts, 'ann', 'p')).ring.wipe();
    await fails(accounts.recoverWithKit('ann', second, 'q'), 'UNAUTHENTICATED');
    await fails(accounts.recoverWithKit('nobody', second, 'q'), 'UNAUTHENTICATED');
    await fails(accounts.recoverWithKit('ann', 'not words', 'q'), 'INVALID_ARGUMENT', /24 words/);
    await opens(accounts, 'ann', 'p');
  });
});

describe('rotated keys', () => {
  test('follow the old ones, which they open', async (context) => {
    const { accounts } = await open(context);
    const ann = await accounts.create('ann', 'p');
    const before: KeyRing[] = [];
    await accounts.unlock('ann', 'p', async (_user, ring) => {
      before.push(ring);
    });
    for (const generation of [2, 3]) {
      const { user, ring } = await rotate(accounts, 'ann', 'p');
      assert.deepEqual([user.owner, user.generation, user.rotatedBy], [ann.owner, generation, peer]);
      assert.equal(ring.generation, generation);
      assert.deepEqual(ring.of(1).catalogKey, before[0]?.current.catalogKey);
      assert.notDeepEqual(ring.current.catalogKey, ring.of(1).catalogKey);
      assert.deepEqual(ring.signer.publicKey, ann.publicKey);
      assert.throws(() => ring.of(generation + 1), { code: 'NOT_FOUND' });
      ring.wipe();
    }
    assert.equal((await opens(accounts, 'ann', 'p')).links.length, 2);
    await fails(rotate(accounts, 'ann', 'wrong'), 'UNAUTHENTICATED');
  });
});

describe('an attacker at a backup host who', () => {
  /** Ann's document with fields of her body changed, signed by nobody who may. */
  async function altered(accounts: Accounts, change: (body: UserBody) => Partial<UserBody>): Promise<Uint8Array> {
    const signed = await exported(accounts, 'ann');
    const body = UserBody.decode(signed.body);
    return Signed.encode({ ...signed, body: UserBody.encode({ ...body, ...change(body) }).finish() }).finish();
  }

  /** Whatever was injected, Ann unlocks as before, here and after a restart. */
  async function holds(subject: Subject, id: UserDocument['owner'], injected: Uint8Array): Promise<void> {
    const { store, accounts } = subject;
    await store.inject(id, injected);
    await opens(accounts, 'ann', 'p');
    store.restart();
    await opens(accounts, 'ann', 'p');
    assert.equal((await store.users()).length, 1);
  }

  test("replaces the document with another user's", async (context) => {
    const subject = await open(context);
    const ann = await subject.accounts.create('ann', 'p');
    const elsewhere = await open(context);
    await elsewhere.accounts.create('ann', 'p');
    await elsewhere.accounts.create('eve', 'q');
    await holds(subject, ann.owner, await elsewhere.accounts.export('ann'));
    await holds(subject, ann.owner, await elsewhere.accounts.export('eve'));
  });

  test('flips bytes of the wrap, asks for less work, swaps kits or former keys', async (context) => {
    const subject = await open(context);
    const { accounts } = subject;
    const ann = await accounts.create('ann', 'p');
    await accounts.create('bob', 'p');
    await accounts.makeKit('ann', 'p');
    const other = UserBody.decode(Signed.decode(await subject.accounts.export('bob')).body);
    const wrapOf = (body: UserBody): NonNullable<UserBody['wrap']> => {
      assert.ok(body.wrap !== undefined);
      return body.wrap;
    };
    const changes: ((body: UserBody) => Partial<UserBody>)[] = [
      (body) => ({ wrap: { ...wrapOf(body), sealed: wrapOf(body).sealed.map((byte) => byte ^ 1) } }),
      (body) => ({ wrap: { ...wrapOf(body), memoryKib: 64 } }),
      () => ({ wrap: other.wrap }),
      (body) => ({ version: body.version + 1 }),
      (body) => ({ kit: { version: 1, salt: new Uint8Array(16), sealed: wrapOf(body).sealed } }),
    ];
    for (const [index, change] of changes.entries()) {
      await subject.store.inject(ann.owner, await altered(accounts, change), 1000 + index);
      await opens(accounts, 'ann', 'p');
    }
    assert.equal((await subject.store.users()).length, 2);
  });

  test('replays an older version, before and after a restart', async (context) => {
    const subject = await open(context);
    const { accounts, store } = subject;
    const ann = await accounts.create('ann', 'old');
    const older = await accounts.export('ann');
    await accounts.changePassphrase('ann', 'old', 'p');
    await holds(subject, ann.owner, older);
    // The whole database is put back to where it was.
    await store.database.removeLeaves(
      `user-${ann.owner}`,
      (await store.database.leaves(`user-${ann.owner}`)).map(({ rev }) => rev),
    );
    await holds(subject, ann.owner, older);
    await fails(opens(accounts, 'ann', 'old'), 'UNAUTHENTICATED');
    assert.equal((await accounts.import(older)).version, 2);
    assert.equal((await opens(accounts, 'ann', 'p')).version, 2);
  });

  test('has a retired root key, and signs a chain of his own with it', async (context) => {
    const subject = await open(context);
    const { accounts } = subject;
    const ann = await accounts.create('ann', 'p');
    let stolen: KeyRing | undefined;
    await accounts.unlock('ann', 'p', async (_user, ring) => {
      stolen = ring;
    });
    assert.ok(stolen !== undefined);
    (await rotate(accounts, 'ann', 'p')).ring.wipe();
    // As long as he likes, with a passphrase that he knows.
    const evil = await forgedSuccessor(ann, stolen, 5);
    await holds(subject, ann.owner, evil);
    await fails(accounts.import(evil), 'PERMISSION_DENIED', /follow/);
    await fails(opens(accounts, 'ann', 'evil'), 'UNAUTHENTICATED');
  });
});

async function forgedSuccessor(user: UserDocument, stolen: KeyRing, generation: number): Promise<Uint8Array> {
  let signer = stolen.signer;
  for (let count = 1; count < generation; count++) {
    const { signing } = deriveUserKeys(Uint8Array.from({ length: 32 }, () => count));
    const links = [...(signer.links ?? []), linkTo(signing.publicKey, signer)];
    signer = { privateKey: signing.privateKey, publicKey: user.publicKey, links };
  }
  const version = 9;
  const wrap = await wrapRootKey('evil', new Uint8Array(32), { user: user.owner, version, cost: DEFAULT_ARGON2_COST });
  const former = Array.from({ length: generation - 1 }, (_, index) => {
    return { generation: index + 1, sealed: new Uint8Array(80) };
  });
  return writeUser({ ...user, version, wrap, generation, former }, signer);
}
