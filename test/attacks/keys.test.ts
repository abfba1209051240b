/** What opens a user's files, in the hands of a backup host: the user's document, its wrap, the cost of guessing. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { NETWORK_DATABASE } from '../../src/chunk/database-names.js';
import { parseUserId } from '../../src/chunk/ids.js';
import { signedOf, toRecordDocument } from '../../src/catalog/records/record-kind.js';
import { readUser, type UserDocument, userDocumentId, writeUser } from '../../src/catalog/users/user-document.js';
import { wrapRootKey } from '../../src/crypto/passphrase.js';
import { deriveUserKeys, newRootKey, userId } from '../../src/crypto/root-key.js';
import { Signed, UserBody } from '../../src/gen/shoal/v1/format.js';
import { MAX_NAMESAKES } from '../../src/limits.js';
import { PASSPHRASE } from '../planet/planet.js';
import { alone, beside, Siege } from './siege.js';

const ATTACKERS = 'the passphrase of the attacker';

describe('a backup host and the key document of a user', () => {
  let siege: Siege;
  let id: string;
  let right: Uint8Array;
  let user: UserDocument;

  before(async () => {
    siege = await Siege.open();
    id = userDocumentId(siege.planet.session.user);
    right = signedOf(await siege.held(NETWORK_DATABASE, id), 'user document');
    user = readUser(right);
  });
  after(() => siege[Symbol.asyncDispose]());

  /** Serves a document in the place of the right one, on a branch that wins and on the branch of the right one. */
  async function replace(signed: Uint8Array): Promise<void> {
    const forged = toRecordDocument('user', id, signed);
    await siege.plantTaken(NETWORK_DATABASE, beside(forged));
    await siege.assertUnharmed();
    await siege.assertTold(id, 1, 2, 3);
    await siege.plant(NETWORK_DATABASE, await siege.over(NETWORK_DATABASE, forged));
    await siege.assertUnharmed();
  }

  /** The user's document with another body, under the signature that was there. */
  function altered(change: (body: UserBody) => void): Uint8Array {
    const signed = Signed.decode(right);
    const body = UserBody.decode(signed.body);
    change(body);
    return Signed.encode({ ...signed, body: UserBody.encode(body).finish() }).finish();
  }

  it('replaced by one of the attacker’s keys and passphrase', async () => {
    const rootKey = newRootKey();
    const { privateKey, publicKey } = deriveUserKeys(rootKey).signing;
    const later = { ...user, version: user.version + 5 };
    const wrap = await wrapRootKey(ATTACKERS, rootKey, { user: later.owner, version: later.version });
    await replace(writeUser({ ...later, wrap }, { privateKey, publicKey }));
    await assert.rejects(siege.planet.peer(3).sessions.unlock('demo', ATTACKERS), { code: 'UNAUTHENTICATED' });
  });

  it('with flipped bytes in the wrap', async () => {
    for (const at of [0, 40]) {
      const flipped = altered(({ wrap }) => {
        assert.ok(wrap !== undefined);
        wrap.sealed[at] = (wrap.sealed[at] ?? 0) ^ 1;
      });
      await replace(flipped);
    }
  });

  it('with weaker settings of the passphrase', async () => {
    const weak = altered(({ wrap }) => {
      assert.ok(wrap !== undefined);
      [wrap.memoryKib, wrap.passes] = [8, 1];
    });
    await replace(weak);
  });

  it('put away with a tombstone, at a peer that forgot it and at peers that did not', async () => {
    await siege.plantRefused(NETWORK_DATABASE, await siege.over(NETWORK_DATABASE, { _id: id }, true));
    await siege.plant(NETWORK_DATABASE, beside({ _id: id }, true));
    await siege.assertUnharmed();
  });

  it('joined by another user of that name, whose id comes before', async () => {
    let rootKey = newRootKey();
    while (userId(deriveUserKeys(rootKey).signing.publicKey) > user.owner) rootKey = newRootKey();
    const { privateKey, publicKey } = deriveUserKeys(rootKey).signing;
    const owner = parseUserId(userId(publicKey));
    const twin = { ...user, owner, version: 1, generation: 1, former: [] };
    const wrap = await wrapRootKey(ATTACKERS, rootKey, { user: owner, version: 1 });
    const signed = writeUser({ ...twin, wrap }, { privateKey, publicKey });
    await siege.plantTaken(NETWORK_DATABASE, alone(toRecordDocument('user', userDocumentId(owner), signed)));
    await siege.assertUnharmed();
  });

  it('served with weak settings that its own user signed', async () => {
    const { privateKey, publicKey } = deriveUserKeys(newRootKey()).signing;
    const owner = parseUserId(userId(publicKey));
    const wrap = { memoryKib: 8, passes: 1, lanes: 1, salt: randomBytes(16), sealed: randomBytes(80) };
    const weak = { ...user, owner, name: 'weak', version: 1, generation: 1, former: [], wrap };
    const signed = writeUser(weak, { privateKey, publicKey });
    const weakId = userDocumentId(owner);
    await siege.plantTaken(NETWORK_DATABASE, alone(toRecordDocument('user', weakId, signed)));
    await siege.assertTold(weakId, 3);
    await assert.rejects(siege.planet.peer(3).sessions.unlock('weak', PASSPHRASE), { code: 'UNAUTHENTICATED' });
    await siege.assertUnharmed();
  });

  it('joined by more users of that name than are tried: the id of the right one opens', async () => {
    for (let count = 0; count < MAX_NAMESAKES; count++) {
      const { privateKey, publicKey } = deriveUserKeys(newRootKey()).signing;
      const owner = parseUserId(userId(publicKey));
      const signed = writeUser({ ...user, owner, version: 1, generation: 1, former: [] }, { privateKey, publicKey });
      await siege.plantTaken(NETWORK_DATABASE, alone(toRecordDocument('user', userDocumentId(owner), signed)));
    }
    const { sessions } = siege.planet.peer(3);
    await assert.rejects(sessions.unlock('demo', PASSPHRASE), { code: 'CONFLICT', message: /the id of the user/ });
    assert.equal((await sessions.unlock(user.owner, PASSPHRASE)).name, 'demo');
  });
});
