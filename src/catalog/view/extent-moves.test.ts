import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { moveAll, sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { carryOut, HomesApart, settled } from '../../../test/contract/homes-apart.js';
import type { StripeId } from '../../chunk/ids.js';
import { MAX_COMMIT_VERSIONS, REMOVAL_GRACE_MS } from '../../limits.js';
import type { NewVersion } from '../catalog.js';
import { LIVE_STRIPE_PAGE } from '../compaction.js';
import type { UserCatalog } from './user-catalog.js';

const user = sampleUser();
const FOREVER = { recursive: true, forever: true };
const old = sampleStripe(user.id).id;

function file(path: string, stripe = old): NewVersion {
  return sampleVersion(path, [sampleExtent(stripe)]);
}

async function stripesAt(catalog: UserCatalog, path: string): Promise<StripeId[]> {
  return (await catalog.manifest(path)).extents.map(({ stripe }) => stripe);
}

/** Gives up all places of what was moved, so far as this home acts on it, and carries out what is due everywhere. */
async function giveUp(homes: HomesApart, ...peers: readonly number[]): Promise<void> {
  for (const n of peers) await homes.at(n).giveUpMoved(homes.nowMs);
  await homes.meet();
  for (const n of peers) await carryOut(homes.at(n));
  await homes.meet();
}

test('what is moved keeps its id, times and order, and where it lay stays referred to until that is given up', async () => {
  const homes = await HomesApart.open(user, 1);
  const catalog = homes.at(0);
  await catalog.commit([file('/f')]);
  await catalog.commit([file('/f')]);
  const [before, entry] = [catalog.versions('/f'), catalog.stat('/f')];
  const next = await moveAll(catalog);
  assert.deepEqual(catalog.versions('/f'), before);
  assert.deepEqual({ ...catalog.stat('/f'), moved: undefined }, { ...entry, moved: undefined });
  assert.notEqual(catalog.stat('/f').moved, entry.moved, 'who has the manifest in memory reads it again');
  for (const { version } of before) {
    assert.equal((await catalog.manifest('/f', version)).extents[0]?.stripe, next);
  }
  assert.deepEqual(await catalog.unreferenced([old, next]), []);
  assert.equal(await catalog.giveUpMoved(homes.nowMs - 1), 1, 'it is not time yet');
  assert.deepEqual(await catalog.dueRemovals(), { due: [], waitingFor: [] });
  await homes.restart(0);
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 1);
  const { due } = await homes.at(0).dueRemovals();
  assert.deepEqual(
    due.map(({ stripes }) => stripes),
    [[old]],
  );
  assert.equal(await carryOut(homes.at(0)), 1);
  assert.deepEqual(await homes.at(0).unreferenced([old, next]), [old]);
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 0);
  await homes.restart(0);
  assert.deepEqual(await stripesAt(homes.at(0), '/f'), [next]);
  assert.deepEqual(homes.at(0).deleted(), []);
  assert.deepEqual(
    homes
      .at(0)
      .list('/', true)
      .map(({ path }) => path),
    ['/f'],
  );
});

test('a move is no new version: what is newer stays the newest, and what is restored is what was moved', async () => {
  const homes = await HomesApart.open(user, 1);
  const catalog = homes.at(0);
  await catalog.commit([file('/f')]);
  const fresh = sampleStripe(user.id).id;
  await catalog.commit([file('/f', fresh)]);
  const [newest, first] = catalog.versions('/f');
  assert.ok(newest !== undefined && first !== undefined);
  const extents = await catalog.moves.liveExtents([old]);
  assert.deepEqual(
    extents.map(({ version }) => version),
    [first.version],
  );
  const to = sampleExtent(sampleStripe(user.id).id);
  assert.equal(await catalog.moves.move(extents.map((one) => ({ ...one, from: one.extent, to }))), 1);
  assert.deepEqual(await stripesAt(catalog, '/f'), [fresh]);
  await catalog.restore('/f', first.version);
  assert.deepEqual(await stripesAt(catalog, '/f'), [to.stripe]);
});

test('what another home took up where it lay, before it knew of the move, keeps the stripe', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await moveAll(homes.at(0));
  const [version] = homes.at(1).versions('/f');
  assert.ok(version !== undefined);
  await homes.at(1).commit([file('/f', sampleStripe(user.id).id)]);
  await homes.at(1).restore('/f', version.version);
  await homes.at(0).giveUpMoved(homes.nowMs);
  assert.equal(await carryOut(homes.at(0)), 0, 'the other home has not answered');
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, [samplePeer(2)]);
  await giveUp(homes, 0);
  for (const n of [0, 1]) {
    assert.deepEqual(await homes.at(n).unreferenced([old]), []);
    assert.deepEqual(await stripesAt(homes.at(n), '/f'), [old]);
    assert.equal(await homes.at(n).giveUpMoved(homes.nowMs), 0);
  }
});

test('with several homes the places are given up when all of them know', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  const next = await moveAll(homes.at(0));
  await homes.meet();
  assert.equal(await homes.at(1).giveUpMoved(homes.nowMs), 1, 'whoever moved it gives it up');
  assert.equal(await carryOut(homes.at(0)), 0);
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 1);
  await homes.tell(0, 1);
  await homes.tell(1, 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).waitingFor, [samplePeer(3)]);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
  await homes.meet();
  for (const n of [0, 1, 2]) {
    assert.deepEqual(await homes.at(n).unreferenced([old, next]), [old]);
    assert.deepEqual(await stripesAt(homes.at(n), '/f'), [next]);
  }
});

test('moved by two homes apart: one place counts everywhere, and only what nobody refers to is free', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  const [one, other] = [await moveAll(homes.at(0)), await moveAll(homes.at(1))];
  await homes.tell(0, 2);
  const [version] = homes.at(2).versions('/f');
  assert.ok(version !== undefined);
  await homes.at(2).commit([file('/f', sampleStripe(user.id).id)]);
  await homes.at(2).restore('/f', version.version);
  await homes.meet();
  const kept = await Promise.all(
    [0, 1, 2].map(async (n) => (await homes.at(n).manifest('/f', version.version)).extents),
  );
  assert.deepEqual(kept[1], kept[0]);
  assert.deepEqual(kept[2], kept[0]);
  await giveUp(homes, 0, 1);
  for (const n of [0, 1, 2]) {
    assert.deepEqual(
      await homes.at(n).unreferenced([old, one]),
      [old],
      'the restored version lies where the first move put it',
    );
    assert.deepEqual(await homes.at(n).unreferenced([other]), kept[0]?.[0]?.stripe === other ? [] : [other]);
  }
});

test('however long a home does not answer, what it may still take up stays', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await moveAll(homes.at(0));
  await homes.at(0).giveUpMoved(homes.nowMs);
  await homes.at(1).setAttributes('/f', { mode: 0o600 });
  homes.nowMs += 2 * REMOVAL_GRACE_MS;
  assert.equal(await carryOut(homes.at(0)), 0);
  await giveUp(homes, 0);
  for (const n of [0, 1]) {
    assert.deepEqual(await stripesAt(homes.at(n), '/f'), [old]);
    assert.deepEqual(await homes.at(n).unreferenced([old]), []);
  }
});

test('where another move has won, what the first one stored is kept until every home knows', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f'), file('/g')]);
  await homes.meet();
  const first = await moveAll(homes.at(0));
  await homes.tell(0, 2);
  // The second home moves one of the files, later, and knows nothing of that.
  for (const name of ['/x', '/y', '/z']) await homes.at(1).makeFolder(name);
  const [other] = (await homes.at(1).moves.liveExtents([old])).filter(({ path }) => path === '/f');
  assert.ok(other !== undefined);
  const second = sampleExtent(sampleStripe(user.id).id);
  await homes.at(1).moves.move([{ ...other, from: other.extent, to: second }]);
  await homes.at(0).giveUpMoved(homes.nowMs);
  for (const [from, to] of [
    [0, 2],
    [2, 0],
    [0, 1],
    [1, 0],
  ] as const)
    await homes.tell(from, to);
  assert.deepEqual(await stripesAt(homes.at(0), '/f'), [second.stripe]);
  // The third has answered, and has heard of the first move only.
  assert.deepEqual(await stripesAt(homes.at(2), '/f'), [first]);
  await homes.at(2).setAttributes('/f', { mode: 0o600 });
  assert.deepEqual((await homes.at(0).dueRemovals()).due, []);
  await homes.at(0).remove('/g', FOREVER);
  homes.nowMs += 2 * REMOVAL_GRACE_MS;
  await carryOut(homes.at(0));
  assert.deepEqual(await homes.at(0).unreferenced([first]), [], 'nothing else in it is needed');
  await giveUp(homes, 0, 1);
  await giveUp(homes, 0, 1);
  for (const n of [0, 1, 2]) {
    assert.deepEqual(await stripesAt(homes.at(n), '/f'), [first]);
    assert.deepEqual(await homes.at(n).unreferenced([first, second.stripe, old]), [second.stripe, old]);
    assert.equal(await homes.at(n).giveUpMoved(homes.nowMs), 0);
  }
});

test('what was emptied by somebody who knew nothing of the move is kept for whoever knows of the move alone', async () => {
  const homes = await HomesApart.open(user, 3);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  const next = await moveAll(homes.at(0));
  await homes.tell(0, 2);
  await homes.at(1).setAttributes('/f', { mode: 0o600 });
  await homes.at(0).giveUpMoved(homes.nowMs);
  for (const [from, to] of [
    [0, 2],
    [2, 0],
    [0, 1],
    [1, 0],
  ] as const) {
    await homes.tell(from, to);
  }
  await homes.at(2).setAttributes('/f', { mode: 0o400 });
  for (let round = 0; round < 2; round++) {
    await homes.at(0).giveUpMoved(homes.nowMs);
    assert.equal(await carryOut(homes.at(0)), 0);
    await homes.tell(0, 1);
    await homes.tell(1, 0);
    homes.nowMs += REMOVAL_GRACE_MS;
  }
  await giveUp(homes, 0);
  await giveUp(homes, 0);
  for (const n of [0, 1, 2]) {
    assert.deepEqual(await homes.at(n).unreferenced([old, next]), []);
    const ids = homes
      .at(n)
      .versions('/f')
      .map(({ version }) => version);
    const places = await Promise.all(ids.map(async (id) => (await homes.at(n).manifest('/f', id)).extents[0]?.stripe));
    assert.deepEqual(new Set(places), new Set([old, next]));
  }
});

test('a stripe stays until every home knows of each move out of it, also of one that came before what it moves', async () => {
  const homes = await HomesApart.open(user, 4);
  const tellOf = async (peer: number, from: number, to: number): Promise<void> => {
    const documents = [...homes.database(from).documents.values()];
    await homes.database(to).put(documents.filter((one) => one['peer'] === samplePeer(peer + 1)));
    await settled();
  };
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await moveAll(homes.at(0));
  // One knows nothing of that, and takes it up where it lay; another knows both, and moves that in turn.
  await homes.at(2).setAttributes('/f', { mode: 0o600 });
  await homes.tell(2, 1);
  await homes.tell(2, 3);
  await homes.tell(0, 3);
  const found = (await homes.at(3).moves.liveExtents([old])).map((one) => {
    return { ...one, from: one.extent, to: sampleExtent(sampleStripe(user.id).id) };
  });
  assert.equal(await homes.at(3).moves.move(found), 1);
  await homes.at(0).giveUpMoved(homes.nowMs);
  for (const n of [1, 2, 3]) await homes.tell(0, n);
  for (const n of [3, 2, 1]) await tellOf(n, n, 0);
  await carryOut(homes.at(0));
  assert.deepEqual(await homes.at(0).unreferenced([old]), []);
  assert.deepEqual(await stripesAt(homes.at(1), '/f'), [old]);
  await homes.at(1).setAttributes('/f', { mode: 0o400 });
  await giveUp(homes, 0, 3);
  await giveUp(homes, 0, 3);
  for (const n of [0, 1, 2, 3]) assert.deepEqual(await homes.at(n).unreferenced([old]), []);
});

test('an announcement of before a restart, or of before something came there, is made anew', async () => {
  const homes = await HomesApart.open(user, 1);
  await homes.at(0).commit([file('/f')]);
  await moveAll(homes.at(0));
  await homes.at(0).giveUpMoved(homes.nowMs);
  assert.equal((await homes.at(0).dueRemovals()).due.length, 1);
  await homes.restart(0);
  assert.deepEqual((await homes.at(0).dueRemovals()).due, []);
  await homes.at(0).giveUpMoved(homes.nowMs);
  await homes.at(0).commit([file('/g')]);
  assert.deepEqual((await homes.at(0).dueRemovals()).due, [], 'it is needed again');
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 0);
  await moveAll(homes.at(0));
  assert.deepEqual((await homes.at(0).dueRemovals()).due, []);
  assert.ok((await homes.at(0).giveUpMoved(homes.nowMs)) > 0);
  await carryOut(homes.at(0));
  assert.deepEqual(await homes.at(0).unreferenced([old]), [old]);
});

test('homes that lack what somebody wrote do not answer each other for ever', async () => {
  const homes = await HomesApart.open(user, 4);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await homes.at(3).makeFolder('/unheard');
  await homes.tell(3, 0);
  await homes.at(0).remove('/f', FOREVER);
  const byFirst = [...homes.database(0).documents.values()].filter(({ peer }) => peer === samplePeer(1));
  for (const n of [1, 2]) await homes.database(n).put(byFirst);
  await settled();
  const count = (): number => homes.database(1).documents.size + homes.database(2).documents.size;
  const before = count();
  for (let round = 0; round < 5; round++) {
    await homes.tell(1, 2);
    await homes.tell(2, 1);
  }
  assert.equal(count(), before);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
});

test('a move does not call off a removal for ever that did not know of it, nor moves what is to be removed', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/f'), file('/g')]);
  await homes.meet();
  const next = await moveAll(homes.at(0));
  await homes.at(1).remove('/f', FOREVER);
  await homes.meet();
  assert.equal(await carryOut(homes.at(1)), 0, 'both stripes are referred to');
  await homes.meet();
  assert.deepEqual(
    homes
      .at(0)
      .list('/', true)
      .map(({ path }) => path),
    ['/g'],
  );
  assert.equal((await homes.at(0).moves.liveExtents([next])).length, 1);

  await homes.at(0).remove('/g', FOREVER);
  assert.deepEqual(await homes.at(0).moves.liveStripes({ limit: 10 }), []);
  assert.deepEqual(await homes.at(0).moves.liveExtents([next]), []);
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 1, 'nothing more was moved');
});

test('what was removed or moved meanwhile is passed over', async () => {
  const homes = await HomesApart.open(user, 1);
  const catalog = homes.at(0);
  await catalog.commit([file('/f'), file('/g')]);
  const moves = (await catalog.moves.liveExtents([old])).map((one) => {
    return { ...one, from: one.extent, to: sampleExtent(sampleStripe(user.id).id) };
  });
  await catalog.remove('/f', FOREVER);
  await carryOut(catalog);
  const next = await moveAll(catalog);
  assert.equal(await catalog.moves.move(moves), 0);
  assert.deepEqual(await stripesAt(catalog, '/g'), [next]);
  assert.equal(await catalog.giveUpMoved(0), 1);
});

test('how much of each stripe is referred to: an extent that versions share counts once', async () => {
  const homes = await HomesApart.open(user, 1);
  const catalog = homes.at(0);
  const stripes = Array.from({ length: 3 }, () => sampleStripe(user.id).id).sort();
  const [first, second, third] = stripes;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const two = [sampleExtent(first, 10), { ...sampleExtent(first, 20), offset: 500 }, sampleExtent(second, 30)];
  await catalog.commit([sampleVersion('/two', two), file('/three', third)]);
  const [version] = catalog.versions('/two');
  await catalog.commit([file('/two', third)]);
  await catalog.restore('/two', version?.version);
  await catalog.remove('/two', { recursive: false, forever: false });
  const sealed = (stripe: StripeId): number => (stripe === first ? 60 + 70 : stripe === second ? 80 : 1050);
  const all = stripes.map((stripe) => ({ stripe, bytes: sealed(stripe) }));
  assert.deepEqual(await catalog.moves.liveStripes({ limit: 10 }), all, 'the trash, too');
  assert.deepEqual(await catalog.moves.liveStripes({ limit: 2 }), all.slice(0, 2));
  assert.deepEqual(await catalog.moves.liveStripes({ limit: 2, after: second }), all.slice(2));
  const found = await catalog.moves.liveExtents([first]);
  assert.deepEqual(
    found.map(({ path, fileOffset, last, extent }) => [path, fileOffset, last, extent.bytes]),
    [
      ['/two', 0, false, 10],
      ['/two', 10, false, 20],
      ['/two', 0, false, 10],
      ['/two', 10, false, 20],
    ],
  );
});

test('refuses what no move can be, and moves nothing while a part of the catalog is missing', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(0).commit([file('/f')]);
  const [extent] = await homes.at(0).moves.liveExtents([old]);
  assert.ok(extent !== undefined);
  const move = { ...extent, from: extent.extent, to: sampleExtent(sampleStripe(user.id).id, 1001) };
  await assert.rejects(homes.at(0).moves.move([move]), { code: 'INVALID_ARGUMENT' });
  const keyless = { ...sampleExtent(move.to.stripe), key: new Uint8Array(16) };
  await assert.rejects(homes.at(0).moves.move([{ ...move, to: keyless }]), { code: 'INVALID_ARGUMENT' });
  const many = new Array<typeof move>(MAX_COMMIT_VERSIONS + 1).fill(move);
  assert.throws(() => homes.at(0).moves.move(many), { code: 'LIMIT_EXCEEDED' });
  for (const limit of [0, 1.5, LIVE_STRIPE_PAGE + 1]) {
    await assert.rejects(homes.at(0).moves.liveStripes({ limit }), { code: 'INVALID_ARGUMENT' });
  }
  const before = new Set(homes.database(0).documents.keys());
  await homes.at(0).commit([file('/g')]);
  const later = [...homes.database(0).documents.values()].filter(({ _id }) => !before.has(_id));
  await homes.database(1).put(later);
  await settled();
  const incomplete = homes.at(1);
  for (const asked of [
    incomplete.moves.liveStripes({ limit: 1 }),
    incomplete.moves.liveExtents([old]),
    incomplete.moves.move([{ ...move, to: sampleExtent(old) }]),
  ]) {
    await assert.rejects(asked, { code: 'UNAVAILABLE' });
  }
});
