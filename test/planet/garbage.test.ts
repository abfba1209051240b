/** Chunks that lie at peers for nothing, and what deleting gives back: three peers, 2+1. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { collectGarbageNow, type ListedPeer } from '../../src/file/garbage/garbage.js';
import type { Swept } from '../../src/file/garbage/sweep.js';
import { GARBAGE_AGE_MS, HOMES_RETRY_MS } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, paths, put, remove } from './files.js';
import { Planet } from './planet.js';

const KEPT = seededBytes('kept', 300_000);
const GONE = seededBytes('gone', 600_000);
const HOUR_MS = 60 * 60 * 1000;

async function collect(planet: Planet, old = false): Promise<Swept> {
  const told: ListedPeer[] = [];
  const options = { signal: NEVER, old, onPeer: (one: ListedPeer) => void told.push(one) };
  const swept = await collectGarbageNow(planet.engine, planet.session, options);
  assert.deepEqual(
    told.map(({ name, failure }) => [name, failure?.message]).sort(),
    planet.numbers.map((n) => [`peer-${String(n)}`, undefined]),
  );
  return swept;
}

/** Removes a file while peer 3 is away, and loses the note that peer 3 has to be told. */
async function forgetToTell(planet: Planet, path: string): Promise<void> {
  await planet.stop(3);
  const { pendingChunks } = await remove(planet, path);
  assert.equal(pendingChunks, 1);
  const { outbox } = planet.engine;
  await planet.passTime(HOUR_MS);
  await outbox.done(outbox.due(planet.session.user).flatMap(({ deletes }) => deletes));
  assert.equal(outbox.pending(), 0);
  await planet.start(3);
}

describe('a chunk whose deletion was forgotten', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    await put(planet, '/kept', KEPT);
    assert.equal((await collect(planet)).chunks, 0);
    await planet.passTime(HOUR_MS);
  });
  after(() => planet[Symbol.asyncDispose]());

  it('is found by its peer’s inventory, and deleted after the grace period', async () => {
    const before = await planet.usage();
    await put(planet, '/gone', GONE);
    await forgetToTell(planet, '/gone');
    const left = await planet.usage();
    assert.deepEqual(left.slice(0, 2), before.slice(0, 2));
    assert.ok((left[2] ?? 0) > (before[2] ?? 0), 'a stray lies at peer 3');
    assert.equal((await collect(planet)).chunks, 0);
    await planet.passTime(GARBAGE_AGE_MS);
    const swept = await collect(planet);
    assert.deepEqual([swept.chunks, swept.awaited], [1, []]);
    assert.deepEqual(await planet.usage(), before);
    await assertStored(planet, '/kept', KEPT);
    assert.deepEqual(await paths(planet), ['/kept']);
  });

  it('is kept while another member holds its stripe back', async () => {
    const before = await planet.usage();
    await put(planet, '/gone', GONE);
    await forgetToTell(planet, '/gone');
    await collect(planet);
    await planet.passTime(GARBAGE_AGE_MS + HOMES_RETRY_MS);
    // Of an upload that goes on there, for instance.
    const stripes = planet.engine.strays.ripe(planet.session.user, { graceMs: 0, old: true, limit: 10 });
    assert.equal(stripes.length, 1);
    for (const { stripe } of stripes) planet.peer(2).engine.pinned.add(stripe);
    assert.equal((await collect(planet)).chunks, 0);
    planet.peer(2).engine.pinned.clear();
    assert.equal((await collect(planet)).chunks, 1);
    assert.deepEqual(await planet.usage(), before);
  });
});
