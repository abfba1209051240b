import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Catalog, KeyRotation } from '../../src/catalog/catalog.js';
import { openSigned } from '../../src/chunk/signed.js';
import { sampleSshKey, sampleVersion } from './catalog-samples.js';
import { fails } from './fails.js';

/** What every Catalog does with passphrases, kits and keys: each test has a user of its own. */
export function catalogSecrets(catalogOf: () => Catalog): void {
  test('a changed passphrase locks all sessions but that of whoever changed it', async () => {
    const catalog = catalogOf();
    await catalog.createUser('changing', 'old');
    const [kept, other] = [await catalog.unlock('changing', 'old'), await catalog.unlock('changing', 'old')];
    const change = { name: 'changing', old: 'old', next: 'new' };
    await fails(catalog.changePassphrase({ ...change, old: 'wrong', keep: kept }), 'UNAUTHENTICATED');
    assert.equal(await catalog.isUnlocked(other), true);
    const changed = await catalog.changePassphrase({ ...change, keep: kept });
    const user = { id: kept.user, name: 'changing', unlocked: true, generation: 1, kit: false };
    assert.deepEqual(changed, { user, pendingHosts: [] });
    assert.equal((await catalog.stat(kept, '/')).type, 'folder');
    await fails(catalog.stat(other, '/'), 'LOCKED');
    assert.equal(await catalog.isUnlocked(other), false);
    await fails(catalog.unlock('changing', 'old'), 'UNAUTHENTICATED');
    await catalog.lock(kept);
    await catalog.lock(await catalog.unlock('changing', 'new'));
  });

  test('a recovery kit opens when the passphrase is forgotten', async () => {
    const catalog = catalogOf();
    await catalog.createUser('forgetful', 'forgotten');
    const session = await catalog.unlock('forgetful', 'forgotten');
    await fails(catalog.makeKit('forgetful', 'wrong'), 'UNAUTHENTICATED');
    const sheet = await catalog.makeKit('forgetful', 'forgotten');
    assert.equal(sheet.words.length, 24);
    assert.equal(sheet.network, (await catalog.network()).name);
    assert.deepEqual([sheet.user.name, sheet.user.kit], ['forgetful', true]);
    assert.equal(await catalog.isUnlocked(session), true);
    const words = sheet.words.join(' ');
    await fails(catalog.recoverWithKit('forgetful', words.replace(/^\w+/, 'xyzzy'), 'new'), 'INVALID_ARGUMENT');
    await fails(catalog.recoverWithKit('demo', words, 'new'), 'UNAUTHENTICATED');
    await catalog.recoverWithKit('forgetful', words, 'new');
    await fails(catalog.stat(session, '/'), 'LOCKED');
    await catalog.lock(await catalog.unlock('forgetful', 'new'));
  });

  test('SSH keys are added and removed by passphrase, and outlive new keys', async () => {
    const catalog = catalogOf();
    await catalog.createUser('keyed', 'p');
    const session = await catalog.unlock('keyed', 'p');
    const by = { name: 'keyed', passphrase: 'p' };
    const added = { ...by, key: sampleSshKey('laptop'), label: '' };
    await fails(catalog.addSshKey({ ...added, passphrase: 'wrong' }), 'UNAUTHENTICATED');
    await fails(catalog.addSshKey({ ...added, key: 'ssh-dss AAAA' }), 'INVALID_ARGUMENT');
    const [key, ...none] = await catalog.addSshKey(added);
    assert.deepEqual([key?.name, key?.algorithm, key?.fingerprint.length, none], ['laptop', 'ssh-ed25519', 32, []]);
    await fails(catalog.addSshKey({ ...added, label: 'again' }), 'ALREADY_EXISTS');
    assert.equal((await catalog.addSshKey({ ...by, key: sampleSshKey('x'), label: 'desktop' })).length, 2);
    assert.equal(await catalog.isUnlocked(session), true);
    for await (const rotation of catalog.rotateKeys(session, 'p')) assert.equal(rotation.generation, 2);
    await fails(catalog.removeSshKey({ ...by, which: 'tablet' }), 'NOT_FOUND');
    assert.deepEqual(await catalog.removeSshKey({ ...by, which: 'desktop' }), [key]);
    assert.deepEqual(await catalog.sshKeys('keyed'), [key]);
    await fails(catalog.sshKeys('nobody'), 'NOT_FOUND');
    await catalog.lock(session);
  });

  test('new keys take over while the user goes on, and sign for the same user', async () => {
    const catalog = catalogOf();
    await catalog.createUser('rotating', 'p');
    const session = await catalog.unlock('rotating', 'p');
    const salt = randomBytes(32);
    const before = await catalog.directoryKey(session, salt);
    await catalog.commit(session, [sampleVersion('/kept')]);
    await assert.rejects(async () => {
      for await (const rotation of catalog.rotateKeys(session, 'wrong')) assert.fail(String(rotation.generation));
    }, /passphrase/);
    const told: KeyRotation[] = [];
    for await (const rotation of catalog.rotateKeys(session, 'p')) told.push(rotation);
    assert.deepEqual([told[0]?.generation, told.at(-1)?.state], [2, 'none']);
    assert.deepEqual(await catalog.keyRotation(session), told.at(-1));
    assert.equal((await catalog.stat(session, '/kept')).type, 'file');
    assert.notDeepEqual(await catalog.directoryKey(session, salt), before);
    assert.deepEqual(await catalog.directoryKey(session, salt, 1), before);
    await fails(catalog.directoryKey(session, salt, 3), 'NOT_FOUND');
    const read = { what: 'grant', maxBytes: 1000, decode: () => ({ owner: session.user }) };
    assert.equal(openSigned('grant', read, await catalog.sign(session, 'grant', randomBytes(8))).generation, 2);
    await catalog.lock(session);
    const again = await catalog.unlock('rotating', 'p');
    assert.equal(again.generation, 2);
    assert.equal((await catalog.stat(again, '/kept')).type, 'file');
    await catalog.lock(again);
  });

  test('what is done in the background is done in the same session', async () => {
    const catalog = catalogOf();
    await catalog.createUser('behind', 'p');
    const session = await catalog.unlock('behind', 'p');
    assert.equal((await catalog.stat({ token: session.background }, '/')).type, 'folder');
    await catalog.lock(session);
    await fails(catalog.stat({ token: session.background }, '/'), 'LOCKED');
  });
}
