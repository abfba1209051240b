import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeForever, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { carryOut, HomesApart, settled } from '../../../test/contract/homes-apart.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { idBytes, parseFileId } from '../../chunk/ids.js';
import { REMOVAL_GRACE_MS, TRASHED_PER_COMMIT } from '../../limits.js';
import { decodeChange, encodeChanges } from './change.js';
import { encodeDoom } from './dooms.js';
import type { ChangeOperation } from './operation.js';
import { ROOT_ID, TRASH_ID } from './tree.js';
import type { UserCatalog } from './user-catalog.js';
import { View } from './view.js';

const user = sampleUser();
const FOREVER = { recursive: true, forever: true };
const TRASH = { recursive: true, forever: false };

function paths(catalog: UserCatalog): string[] {
  return catalog.list('/', true).map(({ path }) => path);
}

const stripe = sampleStripe(user.id).id;
const file = (path: string) => sampleVersion(path, [sampleExtent(stripe)]);

test('where the user is at home once, what is removed for ever is free at once', async () => {
  const homes = await HomesApart.open(user, 1);
  await homes.at(0).commit([file('/f')]);
  assert.deepEqual(await removeForever(homes.at(0), '/f'), [stripe]);
  assert.deepEqual(paths(homes.at(0)), []);
  assert.deepEqual(homes.at(0).deleted(), []);
});

test('with several homes it is hidden at once, and free when all of them have answered', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  assert.equal(await homes.at(0).remove('/folder', FOREVER), 1);
  assert.deepEqual(paths(homes.at(0)), []);
  const waitingFor = [samplePeer(2), samplePeer(3)];
  assert.deepEqual(await homes.at(0).dueRemovals(), { due: [], waitingFor });
  await homes.tell(0, 1);
  assert.deepEqual(paths(homes.at(1)), []);
  await homes.tell(1, 0);
  assert.deepEqual(await homes.at(0).dueRemovals(), { due: [], waitingFor: [samplePeer(3)] });
  await homes.meet();
  assert.equal(await carryOut(homes.at(1)), 0, 'whoever announced it carries it out');
  assert.equal(await carryOut(homes.at(0)), 1);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.deepEqual(await homes.at(n).unreferenced([stripe]), [stripe]);
    assert.deepEqual(await homes.at(n).dueRemovals(), { due: [], waitingFor: [] });
  }
});

for (const [what, restore] of [
  ['taken out of the trash', (catalog: UserCatalog) => catalog.restore('/folder')],
  ['taken out of its folder in the trash', (catalog: UserCatalog) => catalog.restore('/folder/f')],
] as const) {
  test(`what was ${what} at one home is not lost to a trash that another empties meanwhile`, async () => {
    const homes = await HomesApart.open(user, 2);
    await homes.at(0).commit([file('/folder/f'), file('/other')]);
    await homes.at(0).remove('/folder', TRASH);
    await homes.meet();
    await restore(homes.at(1));
    await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
    await homes.restart(1);
    await homes.meet();
    assert.equal(await carryOut(homes.at(0)), 0);
    await homes.meet();
    for (const n of [0, 1]) {
      assert.equal(homes.at(n).versions('/folder/f').length, 1);
      assert.deepEqual(await homes.at(n).unreferenced([stripe]), []);
    }
  });
}

test('an old version that one home makes the newest again calls a removal elsewhere off', async () => {
  const homes = await HomesApart.open(user, 2);
  const old = file('/f');
  await homes.at(0).commit([old]);
  await homes.at(0).commit([sampleVersion('/f')]);
  await homes.meet();
  await homes.at(1).restore('/f', old.manifest.version);
  await homes.at(0).remove('/f', FOREVER);
  assert.equal(await carryOut(homes.at(0)), 0);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) {
    assert.equal(homes.at(n).versions('/f').length, 3);
    assert.deepEqual(await homes.at(n).unreferenced([stripe]), []);
  }
});

test('what is put into a folder that is removed for ever elsewhere is shown, and the folder with it', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', FOREVER);
  await homes.at(1).commit([sampleVersion('/folder/new')]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/f', '/folder/new']);
  // Who knows of it removes it.
  await homes.at(0).remove('/folder', FOREVER);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
  assert.deepEqual(paths(homes.at(0)), []);
});

test('a folder made anew while its removal waits is another one', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', FOREVER);
  await homes.at(0).commit([sampleVersion('/folder/later')]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
  await homes.meet();
  for (const n of [0, 1]) assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/later']);
});

test('a home that never answers is waited for no longer than the grace', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/f')]);
  await homes.at(0).remove('/f', FOREVER);
  homes.nowMs += REMOVAL_GRACE_MS - 1;
  assert.equal(await carryOut(homes.at(0)), 0);
  homes.nowMs += 1;
  assert.equal(await carryOut(homes.at(0)), 1);
});

test('announcements and answers survive a sum of the changes', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await homes.at(0).remove('/f', FOREVER);
  await homes.tell(0, 1);
  // Only a sum of what the second home has, its answer included, comes to the others.
  const sum = await homes.sumOf(1);
  for (const n of [0, 2]) await homes.database(n).put(sum);
  await homes.restart(2);
  assert.deepEqual(paths(homes.at(2)), []);
  await homes.tell(2, 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, []);
  assert.equal(await carryOut(homes.at(0)), 1);
});

test('what two homes put into a folder that a third has removed is taken back once, under its own name', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', TRASH);
  await homes.at(1).commit([sampleVersion('/folder/deep/one')]);
  await homes.at(2).commit([sampleVersion('/folder/two')]);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.deepEqual(paths(homes.at(n)), ['/folder', '/folder/deep', '/folder/deep/one', '/folder/two']);
    assert.deepEqual(
      homes
        .at(n)
        .deleted()
        .map(({ path, files }) => ({ path, files })),
      [{ path: '/folder', files: 1 }],
    );
  }
});

test('an answer that a part of a sum brings before what its peer had written does not count yet', async () => {
  const homes = await HomesApart.open(user, 3);
  const many = Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`));
  // Its node comes last in a sum, the answers first.
  const last = file('/f');
  const manifest = { ...last.manifest, file: parseFileId(Buffer.alloc(16, 0xff)) };
  await homes.at(0).commit([...many, { ...last, manifest }, sampleVersion('/other')]);
  await homes.at(0).remove('/f', TRASH);
  await homes.at(0).remove('/other', TRASH);
  await homes.meet();
  await homes.at(1).restore('/f');
  await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
  await homes.tell(0, 1);
  await homes.tell(1, 2);
  const sum = await homes.sumOf(2);
  const [, , withAnswers, ...others] = sum;
  assert.ok(withAnswers !== undefined && others.length > 1);
  await homes.database(0).put([withAnswers]);
  await settled();
  assert.equal(await carryOut(homes.at(0)), 0);
  await homes.database(0).put(sum);
  await settled();
  assert.equal(await carryOut(homes.at(0)), 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, []);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.equal(homes.at(n).versions('/f').length, 1);
    assert.deepEqual(homes.at(n).deleted(), []);
  }
});

test('what a part of a sum brings ahead of its peer is not removed for ever in ignorance of the rest', async () => {
  const homes = await HomesApart.open(user, 2);
  const version = file('/f');
  const early = { ...version, manifest: { ...version.manifest, file: parseFileId(Buffer.alloc(16, 1)) } };
  const many = Array.from({ length: 600 }, (_, at) => sampleVersion(`/many/${String(at)}`));
  await homes.at(1).commit([early, ...many]);
  const [, , first] = await homes.sumOf(1);
  assert.ok(first !== undefined);
  await homes.database(0).put([first]);
  await settled();
  await assert.rejects(homes.at(0).remove('/f', FOREVER), { code: 'UNAVAILABLE' });
});

test('what was put into a folder that went into the trash, and from there for ever, is shown where it was put', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/folder/f')]);
  await homes.meet();
  await homes.at(0).remove('/folder', TRASH);
  await homes.at(0).emptyTrash(Number.MAX_SAFE_INTEGER);
  const many = Array.from({ length: TRASHED_PER_COMMIT + 1 }, (_, at) => sampleVersion(`/folder/${String(at)}`));
  await homes.at(1).commit(many);
  await homes.tell(1, 0);
  assert.equal(paths(homes.at(0)).length, many.length + 1);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 0);
  for (const n of [0, 1]) {
    assert.equal(paths(homes.at(n)).length, many.length + 1);
    assert.deepEqual(
      homes
        .at(n)
        .deleted()
        .map(({ path, files }) => ({ path, files })),
      [{ path: '/folder', files: 1 }],
    );
  }
});

test('an announcement over the root or the trash says nothing', () => {
  const view = new View();
  const change = { counter: 1, peer: samplePeer(1), document: '1'.repeat(64), peerName: '' };
  const doom = encodeDoom({ over: undefined, issuedMs: 0, seen: new Map() });
  const removals = [ROOT_ID, TRASH_ID].map((node) => ({ node: idBytes(node), versions: [], doom, seen: [] }));
  const operations = removals.map((value): ChangeOperation => ({ $case: 'removeEntry', value }));
  for (const encode of encodeChanges(operations, { commit: new Uint8Array(16), peerName: '' })) {
    view.apply(decodeChange(encode(undefined)), change);
  }
  assert.deepEqual(view.tree.dooms.list(), []);
});

test('an answer counts when its home knew all that whoever announced the removal knew', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await homes.at(2).move('/f', '/g');
  await homes.tell(2, 0);
  await homes.at(0).remove('/g', FOREVER);
  // What the third home wrote does not come to the second.
  const byFirst = [...homes.database(0).documents.values()].filter(({ peer }) => peer === samplePeer(1));
  await homes.database(1).put(byFirst);
  await settled();
  await homes.tell(1, 0);
  await homes.tell(0, 2);
  await homes.tell(2, 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, [samplePeer(2)]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
});
