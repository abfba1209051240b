/** Repair: what peers lose that are gone, leave or lie is rebuilt on others, by whoever knows the stripe, without a key. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerRecord } from '../../src/peers/peer-record.js';
import type { PeerId } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import { PeerView } from '../../src/healing/assessment.js';
import { repairStripe, type RepairNetwork, type StripeOutcome } from '../../src/healing/repair-stripe.js';
import { SURPLUS_AGE_MS } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { lie } from './damage.js';
import { assertStored, put, remove } from './files.js';
import { type Placed, Planet } from './planet.js';

const MIB = 1024 * 1024;
const HANG_MS = 300_000;

/** Peers 1 and 2 host the databases, so 2 knows every stripe; 7 and 8 come after the files, and hold nothing. */
describe('repair in a network of eight peers', { timeout: HANG_MS }, () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 8, backupHosts: 2, environment: { SHOAL_GRACE_HOURS: '0' } });
    await setStates({ 7: 'draining', 8: 'draining' });
    await put(planet, '/film', FILM);
    await put(planet, '/song', SONG);
    await setStates({ 7: 'member', 8: 'member' });
  });
  after(() => planet[Symbol.asyncDispose]());
  beforeEach(async () => {
    for (const n of planet.numbers) if (!planet.isUp(n)) await planet.start(n);
  });

  const FILM = seededBytes('film', 20 * MIB);
  const SONG = seededBytes('song', 300_000);

  /** Resolves when all peers that are up know. */
  async function setStates(states: Readonly<Record<number, PeerRecord['state']>>): Promise<void> {
    for (const [n, state] of Object.entries(states)) {
      await planet.engine.catalog.setPeerState(planet.id(Number(n)), state);
    }
    const up = planet.numbers.filter((n) => planet.isUp(n));
    await until(() =>
      up.every((at) =>
        Object.entries(states).every(
          ([n, state]) => planet.peer(at).engine.book.get(planet.id(Number(n)))?.state === state,
        ),
      ),
    );
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await delay(50);
  }

  /** Peer `at` finds out who is gone. */
  async function watch(at: number): Promise<void> {
    const { liveness } = planet.peer(at).healing;
    for (let rounds = 0; rounds < 2; rounds++) {
      await delay(5);
      await liveness.round(NEVER);
    }
  }

  async function repair(at: number): Promise<StripeOutcome[]> {
    await watch(at);
    const outcomes: StripeOutcome[] = [];
    for await (const progress of planet.peer(at).healing.repairer.now(NEVER)) {
      if (progress.kind === 'stripe') outcomes.push(progress.outcome);
    }
    return outcomes;
  }

  /** Bytes that peers sent each other for repairs, as those count it that got them. */
  function movedBytes(): number {
    return planet.numbers.reduce(
      (sum, n) => sum + (planet.isUp(n) ? planet.peer(n).engine.telemetry.counts.repair.movedBytes : 0),
      0,
    );
  }

  /** For each stripe of a file: which peers that are up have which of its chunks, whatever the record says. */
  async function stored(path: string): Promise<{ readonly of: Placed; readonly at: readonly number[] }[]> {
    const up = planet.numbers.filter((n) => planet.isUp(n));
    return Promise.all(
      (await planet.chunksOf(path)).map(async (of) => {
        const has = up.map(async (n) => (await planet.peer(n).store.has([of.id], { signal: NEVER })).has(of.id));
        const having = await Promise.all(has);
        return { of, at: up.filter((_, i) => having[i] === true) };
      }),
    );
  }

  /** No peer has two chunks of a stripe, and the one that the record names has its own. */
  function assertSpread(chunks: Awaited<ReturnType<typeof stored>>): void {
    const seen = new Set<string>();
    for (const { of, at } of chunks) {
      assert.ok(
        at.includes(of.peer),
        `chunk ${String(of.index)} is at ${at.join(', ')}, the record says ${String(of.peer)}`,
      );
      for (const n of at) {
        const key = `${of.stripe.id} ${String(n)}`;
        assert.ok(!seen.has(key), `peer ${String(n)} has two chunks of a stripe`);
        seen.add(key);
      }
    }
  }

  /** Where the chunks of a file lie: each at a peer that is up and has it, and no two of a stripe at one. */
  async function holdersOf(path: string): Promise<Set<number>> {
    const placed = await planet.chunksOf(path);
    const holders = new Set<string>();
    for (const { stripe, index, id, peer } of placed) {
      assert.ok(planet.isUp(peer), `chunk ${String(index)} of ${path} lies at peer ${String(peer)}, which is down`);
      assert.ok((await planet.peer(peer).store.has([id], { signal: NEVER })).has(id), `peer ${String(peer)} has it`);
      holders.add(`${stripe.id} ${String(peer)}`);
    }
    assert.equal(holders.size, placed.length, 'a peer has one chunk of a stripe');
    return new Set(placed.map(({ peer }) => peer));
  }

  /** One that holds chunks of a file, and hosts no databases. */
  async function victimOf(path: string, ...but: number[]): Promise<number> {
    const holder = (await planet.chunksOf(path)).find(({ peer }) => peer > 2 && !but.includes(peer));
    assert.ok(holder !== undefined);
    return holder.peer;
  }

  /** Peer `at` has heard where the chunks of the file lie that it has itself, as peer 1 knows it. */
  async function synced(at: number, path: string): Promise<void> {
    await until(async () => {
      for (const { stripe, index, id, peer } of await planet.chunksOf(path)) {
        const [record] = await planet.peer(at).engine.catalog.stripes([stripe.id]);
        if (!(await planet.peer(at).store.has([id], { signal: NEVER })).has(id)) continue;
        if (record?.placement[index]?.peer !== planet.id(peer)) return false;
      }
      return true;
    });
  }

  /** Peer 2 has all that peer 1 has. */
  async function hostSynced(): Promise<void> {
    const places = (of: Placed['stripe'] | undefined): string =>
      JSON.stringify(of?.placement.map((place) => place?.peer));
    await until(async () => {
      for (const { stripe } of [...(await planet.chunksOf('/film')), ...(await planet.chunksOf('/song'))]) {
        const [record] = await planet.peer(2).engine.catalog.stripes([stripe.id]);
        if (places(record) !== places(stripe)) return false;
      }
      return true;
    });
  }

  /** All peers are up and known to be, and none holds what the records have elsewhere: two of them have room for a chunk. */
  async function tidy(): Promise<void> {
    await sweep();
    for (const { of, at } of [...(await stored('/film')), ...(await stored('/song'))]) assert.deepEqual(at, [of.peer]);
  }

  /** Every peer drops by itself what it knows to lie elsewhere, and to have done so for long. */
  async function sweep(): Promise<void> {
    const round = async (): Promise<void> => {
      for (const n of planet.numbers) await planet.peer(n).healing.surplus?.round(NEVER);
    };
    for (const n of planet.numbers) {
      await watch(n);
      for (const path of ['/film', '/song']) await synced(n, path);
    }
    await round();
    await planet.passTime(SURPLUS_AGE_MS + 1);
    await round();
  }

  it('puts the chunks of a peer that is gone elsewhere, and any two more may die', async () => {
    await planet.kill(6);
    const before = movedBytes();
    const outcomes = await repair(1);
    assert.ok(planet.peer(1).healing.liveness.isGone(planet.id(6)));
    assert.ok(!planet.peer(1).healing.liveness.isGone(planet.id(5)));
    assert.ok(outcomes.every(({ left, rebuilt }) => left === 0 && rebuilt === 1));
    const [film] = await planet.chunksOf('/film');
    assert.ok(film !== undefined);
    const moved = outcomes.find(({ stripe }) => stripe === film.stripe.id)?.movedBytes;
    assert.equal(moved, film.stripe.k * film.stripe.chunkBytes);
    const told = outcomes.reduce((sum, outcome) => sum + outcome.movedBytes, 0);
    assert.equal(movedBytes() - before, told, 'what the report says is what those got who rebuilt');
    for (const path of ['/film', '/song']) assert.ok(!(await holdersOf(path)).has(6));
    await planet.kill(3, 4);
    await assertStored(planet, '/film', FILM);
    await assertStored(planet, '/song', SONG);
    await planet.start(3);
    await planet.start(4);
    assert.deepEqual(await repair(1), [], 'nothing is left to do');
  });

  it('keeps what a peer that is back has, until that is proven to be elsewhere for long, and then drops it', async () => {
    const { surplus } = planet.peer(6).healing;
    assert.ok(surplus !== undefined);
    await synced(6, '/film');
    await synced(6, '/song');
    const { bytes } = await planet.peer(6).store.usage();
    assert.ok(bytes > 0);
    assert.equal(await surplus.round(NEVER), 0, 'seen for the first time');
    await planet.passTime(SURPLUS_AGE_MS + 1);
    assert.ok((await surplus.round(NEVER)) > 0);
    assert.equal((await planet.peer(6).store.usage()).bytes, 0);
    assert.equal(await planet.peer(5).healing.surplus?.round(NEVER), 0, 'what the record names stays');
    await assertStored(planet, '/film', FILM);
  });

  it('gives the record to whoever gets a chunk: that peer audits the stripe, and drops its copy when that lies elsewhere', async () => {
    const [placed] = (await planet.chunksOf('/film')).filter(({ peer }) => peer > 6);
    assert.ok(placed !== undefined, 'peer 7 or 8 got the chunk of peer 6');
    const { stripe, index, id, peer } = placed;
    const placeAt = async (n: number): Promise<number | undefined> => {
      const [record] = await planet.peer(n).engine.catalog.stripes([stripe.id]);
      const place = record?.placement[index];
      return place && planet.numberOf(place.peer);
    };
    await until(async () => (await placeAt(peer)) === peer);
    const audited = new Set<string>();
    for await (const result of planet.peer(peer).healing.auditor.now(20, NEVER)) {
      assert.equal(result.outcome, 'passed');
      audited.add(result.stripe);
    }
    assert.ok(audited.has(stripe.id), 'among the stripes that it knows');
    await planet.kill(peer);
    await repair(1);
    const next = await placeAt(1);
    assert.notEqual(next, peer);
    await planet.start(peer);
    await until(async () => (await placeAt(peer)) === next);
    for (const at of [1, peer]) await watch(at);
    const has = async (): Promise<boolean> => (await planet.peer(peer).store.has([id], { signal: NEVER })).has(id);
    const { surplus } = planet.peer(peer).healing;
    await surplus?.round(NEVER);
    assert.ok(await has(), 'it was moved just now');
    await planet.passTime(SURPLUS_AGE_MS + 1);
    await surplus?.round(NEVER);
    assert.ok(!(await has()), 'it lies elsewhere by now');
    await assertStored(planet, '/film', FILM);
  });

  it('leaves a target that stalls, or has no room, for another one', async () => {
    await tidy();
    const { engine } = planet;
    const { liveness, audits } = planet.peer(1).healing;
    const victim = await victimOf('/film');
    const copies = await planet.chunksOf('/film');
    await planet.kill(victim);
    await watch(1);
    const asked: number[] = [];
    const network: RepairNetwork = {
      ...{ self: engine.self, catalog: engine.catalog, book: engine.book, links: engine.links },
      pull: (peer, order, options) => {
        asked.push(planet.numberOf(peer));
        if (asked.length === 1) return Promise.reject(new StorageError('TIMEOUT', 'It did not answer in time.'));
        return engine.links.remote(peer).pull(order, options);
      },
    };
    const resting = new Map<PeerId, number>();
    const parts = { network, view: new PeerView(engine.book, liveness, audits), audits, resting, clock: Date.now };
    const [first] = copies;
    assert.ok(first !== undefined);
    const outcome = await repairStripe(first.stripe.id, parts, NEVER);
    assert.deepEqual([outcome.rebuilt, outcome.left], [1, 0], outcome.reason);
    assert.equal(new Set(asked).size, 2, 'another one was asked');
    assert.deepEqual(
      [...resting.keys()].map((peer) => planet.numberOf(peer)),
      asked.slice(0, 1),
    );
  });

  it('refuses a second chunk of a stripe, whoever asks, and a label that does not name the chunk', async () => {
    const [one, other] = (await planet.chunksOf('/film')).filter(({ peer }) => peer !== 1);
    const [song] = await planet.chunksOf('/song');
    assert.ok(one !== undefined && other !== undefined && song !== undefined);
    const pull = (label: Uint8Array): Promise<unknown> =>
      planet.engine.links.remote(planet.id(other.peer)).pull({ chunk: one.id, label }, { signal: NEVER });
    await assert.rejects(pull(one.stripe.label), {
      code: 'PERMISSION_DENIED',
      message: /a chunk of the stripe already/,
    });
    await assert.rejects(pull(song.stripe.label), { code: 'PERMISSION_DENIED', message: /does not name/ });
  });

  it('rebuilds nothing from a source that lies, and finds others', async () => {
    await tidy();
    const victim = await victimOf('/song');
    await planet.kill(victim);
    const song = new Set((await planet.chunksOf('/song')).map(({ peer }) => peer).filter((peer) => peer !== victim));
    // Whoever is asked first lies, so that somebody who lies is asked.
    let liar = 0;
    let lies = 0;
    const honest = [...song].map((n) =>
      lie(planet.peer(n).store, {
        bytes: ({ bytes }) => {
          if (liar === 0) liar = n;
          if (n !== liar) return bytes;
          lies++;
          return Uint8Array.from(bytes, (byte) => byte ^ 1);
        },
      }),
    );
    const outcomes = await repair(1);
    for (const tell of honest) tell();
    assert.ok(lies > 0, 'a liar was asked');
    assert.ok(
      outcomes.length > 0 && outcomes.every(({ left, rebuilt }) => left === 0 && rebuilt === 1),
      JSON.stringify(outcomes),
    );
    await holdersOf('/song');
    await assertStored(planet, '/song', SONG);
  });

  it('is done by two peers at once without harm', async () => {
    await tidy();
    await hostSynced();
    const before = [...(await planet.chunksOf('/film')), ...(await planet.chunksOf('/song'))];
    const victim = await victimOf('/film');
    const lost = new Set(before.flatMap(({ id, peer }) => (peer === victim ? id : [])));
    await planet.kill(victim);
    const [ones, others] = await Promise.all([repair(1), repair(2)]);
    assert.ok(
      [...ones, ...others].every(({ left }) => left === 0),
      JSON.stringify([ones, others]),
    );
    await hostSynced();
    for (const path of ['/film', '/song']) {
      const chunks = await stored(path);
      assertSpread(chunks);
      for (const { of, at } of chunks) {
        assert.notEqual(of.peer, victim);
        // Each repairer chooses by who answered it: two may choose differently, of the one lost chunk of each stripe.
        const most = lost.has(of.id) ? 2 : 1;
        assert.ok(at.length <= most, `chunk ${String(of.index)} is at ${at.join(', ')}`);
      }
    }
    await planet.start(victim);
    // One of each is left, where the record says.
    await tidy();
    for (const path of ['/film', '/song']) assertSpread(await stored(path));
  });

  it('is done while the owner is away', async () => {
    await tidy();
    await hostSynced();
    const victim = await victimOf('/film');
    const placed = [...(await stored('/film')), ...(await stored('/song'))];
    const away = new Set([1, victim]);
    await planet.kill(victim);
    await planet.stop(1);
    const outcomes = await repair(2);
    assert.ok(outcomes.length > 0);
    for (const { stripe, rebuilt, found, left } of outcomes) {
      const due = placed.filter(({ of }) => of.stripe.id === stripe && away.has(of.peer));
      // What two repairers once made too often is found again.
      const elsewhere = due.filter(({ at }) => at.some((n) => !away.has(n))).length;
      assert.deepEqual({ rebuilt, found, left }, { rebuilt: due.length - elsewhere, found: elsewhere, left: 0 });
    }
    await planet.start(1);
    await until(async () => !(await planet.chunksOf('/film')).some(({ peer }) => peer === victim));
    await assertStored(planet, '/film', FILM);
  });

  it('leaves no record of a stripe that is removed, wherever its chunks have been', async () => {
    const ids = [...new Set((await planet.chunksOf('/song')).map(({ stripe }) => stripe.id))];
    assert.ok(ids.length > 0);
    await remove(planet, '/song');
    for (const n of planet.numbers) {
      const { catalog } = planet.peer(n).engine;
      await until(async () => (await catalog.stripes(ids)).every((record) => record === undefined));
    }
    for (const n of planet.numbers) {
      const known = await planet.peer(n).engine.catalog.stripeIds({ limit: 100 });
      assert.ok(!known.some((id) => ids.includes(id)), `peer ${String(n)}`);
    }
  });
});
