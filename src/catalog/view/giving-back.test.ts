/** When the places of moves are announced to be given up, and again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moveAll, sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { carryOut, HomesApart } from '../../../test/contract/homes-apart.js';
import { MAX_INLINE_EXTENTS, REMOVAL_GRACE_MS, TRASHED_PER_COMMIT } from '../../limits.js';
import type { NewVersion } from '../catalog.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_MS = 365 * DAY_MS;
const user = sampleUser();
const old = sampleStripe(user.id).id;

function file(path: string, stripe = old): NewVersion {
  return sampleVersion(path, [sampleExtent(stripe)]);
}

function largeFile(path: string): NewVersion {
  const extents = Array.from({ length: MAX_INLINE_EXTENTS + 1 }, (_, at) => ({
    ...sampleExtent(old),
    offset: 2000 * at,
  }));
  return sampleVersion(path, extents);
}

/** One home, where all of a stripe has moved. */
async function moved(peers = 1): Promise<HomesApart> {
  const homes = await HomesApart.open(user, peers);
  await homes.at(0).commit([file('/f')]);
  await homes.meet();
  await moveAll(homes.at(0));
  return homes;
}

test('whoever acts goes on when somebody else, who took him for no home, has announced it after him', async () => {
  const homes = await HomesApart.open(user, 2);
  await homes.at(1).commit([file('/f')]);
  await moveAll(homes.at(1));
  await homes.meet();
  await homes.at(1).giveUpMoved(homes.nowMs);
  await homes.tell(1, 0);
  homes.unknownTo.set(0, [samplePeer(2)]);
  homes.nowMs += DAY_MS;
  await homes.at(0).giveUpMoved(homes.nowMs);
  homes.unknownTo.clear();
  await homes.restart(0);
  await homes.meet();
  assert.deepEqual([await carryOut(homes.at(0)), await carryOut(homes.at(1))], [0, 0]);
  homes.nowMs += 3 * DAY_MS;
  for (const n of [0, 1]) await homes.at(n).giveUpMoved(homes.nowMs);
  await homes.meet();
  assert.equal(await carryOut(homes.at(1)), 1);
});

test('a process that starts daily, beside a home that never answers, announces less and less often', async () => {
  const homes = await moved(2);
  const startMs = homes.nowMs;
  const days: number[] = [];
  for (let day = 1; day <= 30; day++) {
    homes.nowMs = startMs + day * DAY_MS;
    await homes.restart(0);
    const before = homes.database(0).documents.size;
    await homes.at(0).giveUpMoved(homes.nowMs - DAY_MS);
    if (homes.database(0).documents.size > before) days.push(day);
  }
  assert.deepEqual(days, [1, 3, 7, 14, 21, 28]);
});

test('what a clock that was a year ahead has moved, or announced, is not waited for', async () => {
  for (const step of ['move', 'announcement'] as const) {
    const homes = await HomesApart.open(user, 1);
    await homes.at(0).commit([file('/f')]);
    homes.nowMs += YEAR_MS;
    await moveAll(homes.at(0));
    if (step === 'announcement') await homes.at(0).giveUpMoved(homes.nowMs);
    homes.nowMs -= YEAR_MS;
    await homes.restart(0);
    await homes.at(0).giveUpMoved(homes.nowMs - DAY_MS);
    assert.equal(await carryOut(homes.at(0)), 1, step);
  }
});

test('very many places are given up at once', async () => {
  const homes = await HomesApart.open(user, 1);
  const count = TRASHED_PER_COMMIT + 1;
  await homes.at(0).commit(Array.from({ length: count }, (_, at) => file(`/${String(at)}`, sampleStripe(user.id).id)));
  await moveAll(homes.at(0));
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), count);
  assert.equal((await carryOut(homes.at(0))) + (await carryOut(homes.at(0))), count);
});

test('a stripe that a large file lies in is needed, whoever looks first after a start', async () => {
  const homes = await moved();
  await homes.at(0).commit([largeFile('/large')]);
  await homes.restart(0);
  assert.equal(await homes.at(0).giveUpMoved(homes.nowMs), 0);
});

test('a large file that came to a stripe and left it, unseen, has it announced anew', async () => {
  const homes = await moved(2);
  await homes.at(0).giveUpMoved(homes.nowMs);
  await homes.at(1).commit([largeFile('/large')]);
  await homes.at(1).remove('/large', { recursive: false, forever: true });
  homes.nowMs += REMOVAL_GRACE_MS;
  await carryOut(homes.at(1));
  assert.throws(() => homes.at(1).stat('/large'), { code: 'NOT_FOUND' });
  await homes.tell(0, 1);
  await homes.tell(1, 0);
  assert.deepEqual((await homes.at(0).dueRemovals()).due, []);
  await homes.at(0).giveUpMoved(homes.nowMs);
  await homes.meet();
  assert.equal(await carryOut(homes.at(0)), 1);
});
