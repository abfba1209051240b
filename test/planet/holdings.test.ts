/** What peers say that they hold: a disk that was lost behind everyone's back is known within one round, and repaired. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ControlClient } from '../../src/cli/control-client.js';
import type { Healing } from '../../src/healing/healing.js';
import type { SurveySummary } from '../../src/healing/repair-queue.js';
import { HOME } from '../../src/home.js';
import { HOLDINGS_LEAST_MS } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, put, remove } from './files.js';
import { Planet } from './planet.js';

const FILM = seededBytes('held', 5_000_000);
const HANG_MS = 120_000;

describe('what six peers say that they hold', { timeout: HANG_MS }, () => {
  let planet: Planet;
  let healing: Healing;

  beforeEach(async () => {
    planet = await Planet.open({ environment: { SHOAL_GRACE_HOURS: '1000' } });
    ({ healing } = planet.peer(1));
    await put(planet, '/film', FILM);
  });
  afterEach(() => planet[Symbol.asyncDispose]());

  /** A new disk, of which nobody is told. */
  async function loseStore(...numbers: number[]): Promise<void> {
    for (const n of numbers) {
      await planet.stop(n);
      await rm(join(planet.home(n), HOME.chunks), { recursive: true });
      await planet.start(n);
    }
  }

  async function repair(): Promise<{ readonly survey: SurveySummary; readonly left: number }> {
    let survey: SurveySummary | undefined;
    let left = 0;
    for await (const progress of healing.repairer.now(NEVER)) {
      if (progress.kind === 'surveyed') ({ survey } = progress);
      else ({ left } = progress.outcome);
    }
    assert.ok(survey !== undefined);
    return { survey, left };
  }

  it('finds nothing wrong where nothing is, and says when that was', async () => {
    assert.equal(healing.holdings.state().oldestMs, undefined, 'nobody was compared yet');
    const { denied, oldestMs, peers } = await healing.holdings.now(NEVER);
    assert.deepEqual([denied, peers.length], [0, 6]);
    assert.ok(oldestMs !== undefined && Date.now() - oldestMs < 60_000);
    assert.equal((await repair()).survey.whole, 1);
  });

  it('knows within one round that a peer lost its disk, trusts it all the same, and gives it back what it lost', async () => {
    await loseStore(3);
    assert.equal((await repair()).survey.whole, 1, 'by the records alone, all is well');
    assert.equal((await healing.holdings.now(NEVER)).denied, 1);
    assert.equal(planet.engine.book.isTrusted(planet.id(3)), true);
    const { survey, left } = await repair();
    assert.deepEqual([survey.degraded, left], [1, 0]);
    assert.equal(healing.holdings.state().denied, 0);
    assert.equal((await planet.peer(3).store.usage()).chunks, 1);
    assert.equal((await healing.holdings.now(NEVER)).denied, 0);
    assert.equal((await repair()).survey.whole, 1);
  });

  it('says so in the status: files, machines, what waits, and how old that is', async () => {
    await using client = new ControlClient(planet.home(1), { signal: NEVER });
    const before = (await client.status()).safety;
    assert.deepEqual([before?.files.healthy.files, before?.mayFail, before?.compared], [1, 2, null]);
    await loseStore(3, 4);
    assert.equal((await client.status()).safety?.files.healthy.files, 1, 'by the records alone');
    for await (const { event } of client.compareNow()) assert.equal(event, 'done');
    const { safety } = await client.status();
    assert.ok(safety !== null && safety.compared !== null);
    assert.deepEqual(safety.files.atRisk, { files: 1, bytes: FILM.length });
    assert.deepEqual([safety.files.waiting.files, safety.mayFail], [1, 0]);
    assert.deepEqual(safety.worst, [{ path: '/film', bytes: FILM.length, state: 'atRisk' }]);
    const machine = (n: number): unknown[] => {
      const found = safety.machines.find(({ id }) => id === planet.id(n));
      return [found?.standing, found?.mayFail, found?.denied];
    };
    assert.deepEqual(
      [machine(3), machine(5)],
      [
        ['up', true, 1],
        ['up', false, 0],
      ],
    );
    assert.deepEqual(
      safety.zones.find(({ zone }) => zone === 'zone-4'),
      { zone: 'zone-4', machines: 1, up: 1, mayFail: false },
    );
    await repair();
    assert.equal((await client.safety(10)).files.healthy.files, 1);
    await loseStore(2, 3, 4);
    for await (const { event } of client.compareNow()) assert.equal(event, 'done');
    const lost = await client.safety(10);
    assert.deepEqual([lost.files.lost.files, lost.mayFail, lost.worst[0]?.state], [1, -1, 'lost']);
  });

  it('calls lost what is lost beyond the tolerance, and remembers it over a restart', async () => {
    await loseStore(3, 4, 5);
    assert.equal((await healing.holdings.now(NEVER)).denied, 3);
    assert.deepEqual([(await repair()).survey.lost, (await repair()).left], [1, 3]);
    await planet.restart(1);
    ({ healing } = planet.peer(1));
    assert.equal(healing.holdings.state().denied, 3);
    assert.equal((await repair()).survey.lost, 1);
  });

  it('takes no removal for a loss, while it is under way or when the chunks are gone everywhere', async () => {
    await planet.kill(6);
    await remove(planet, '/film');
    await planet.start(6);
    assert.equal((await healing.holdings.now(NEVER)).denied, 0);
    const { survey, left } = await repair();
    assert.deepEqual([survey.stripes - survey.whole, left], [0, 0]);
  });

  it('takes what a peer says is damaged for lost, until it is mended', async () => {
    const placed = (await planet.chunksOf('/film')).find(({ peer }) => peer === 4);
    assert.ok(placed !== undefined);
    const { scrubs } = planet.peer(4).store.mending;
    const { id } = placed;
    scrubs.noteDamage({ id, stripe: placed.stripe.id, reason: 'Rotten.', foundMs: 1, nextTryMs: 1 });
    assert.ok(
      (await planet.engine.links.store(planet.id(4)).has([id], { signal: NEVER })).has(id),
      'a part can be had',
    );
    assert.equal((await healing.holdings.now(NEVER)).denied, 1);
    assert.equal((await repair()).survey.degraded, 1);
    scrubs.removeDamage(id);
    assert.equal((await healing.holdings.now(NEVER)).denied, 0);
    assert.equal((await repair()).survey.whole, 1);
    await assertStored(planet, '/film', FILM);
  });

  it('counts what this peer itself has lost', async () => {
    await loseStore(1);
    ({ healing } = planet.peer(1));
    assert.equal((await healing.holdings.now(NEVER)).denied, 1);
    assert.equal((await repair()).survey.degraded, 1);
    assert.equal((await planet.peer(1).store.usage()).chunks, 1, 'it was rebuilt here');
  });

  it('compares in the background whoever opened its store anew, after a second look', async () => {
    await healing.holdings.round(NEVER);
    assert.ok(healing.holdings.state().oldestMs !== undefined, 'all were compared once');
    await loseStore(2);
    await healing.holdings.round(NEVER);
    assert.equal(healing.holdings.state().denied, 0, 'it was compared just before');
    await planet.passTime(HOLDINGS_LEAST_MS + 1);
    await healing.holdings.round(NEVER);
    assert.equal(healing.holdings.state().denied, 0, 'it waits for the second look');
    await planet.passTime(HOLDINGS_LEAST_MS + 1);
    await healing.holdings.round(NEVER);
    assert.equal(healing.holdings.state().denied, 1);
  });
});
