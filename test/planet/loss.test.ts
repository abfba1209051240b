/** Peers die, hang and come back: six of them, 4+2. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { IDLE_TIMEOUT_MS } from '../../src/limits.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, getAll, paths, put, putAll, read, remove } from './files.js';
import { Planet } from './planet.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const FILM = seededBytes('film', 17 * MIB);
const NOTES = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`/notes/${String(i)}`, seededBytes(`note ${String(i)}`, 500 + i)]),
);

describe('a network of six peers', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open();
    await put(planet, '/film', FILM);
    await putAll(planet, NOTES);
  });
  after(() => planet[Symbol.asyncDispose]());

  async function assertAllThere(): Promise<void> {
    await assertStored(planet, '/film', FILM);
    const fetched = await getAll(planet, Object.keys(NOTES));
    for (const [i, note] of Object.values(NOTES).entries()) assert.deepEqual(fetched[i], Buffer.from(note));
  }

  beforeEach(async () => {
    for (const n of planet.numbers) {
      if (planet.isUp(n)) await planet.reconnect(n);
      else await planet.start(n);
    }
  });

  it('reads everything without any two of them', async () => {
    for (const [one, two] of [
      [2, 3],
      [5, 6],
    ] as const) {
      await planet.kill(one, two);
      await assertAllThere();
      await planet.start(one);
      await planet.start(two);
    }
  });

  it('says clearly that it cannot read without three, and reads again when one is back', async () => {
    await planet.kill(2, 3, 4);
    await assert.rejects(read(planet, '/film'), { code: 'UNAVAILABLE', message: /^Only 3 of the 6 chunks .* 4 are/ });
    const [failed] = await getAll(planet, ['/film']);
    assert.ok(failed instanceof Error && 'code' in failed);
    assert.equal(failed.code, 'UNAVAILABLE');
    await planet.start(3);
    await assertAllThere();
  });

  it('stores a file without one of them, says so, and reads it without two', async () => {
    await planet.kill(4);
    const content = seededBytes('degraded', MIB);
    const { missingChunks } = await put(planet, '/degraded', content);
    assert.equal(missingChunks, 1);
    assert.ok(!(await planet.chunksOf('/degraded')).some(({ peer }) => peer === 4));
    await assertStored(planet, '/degraded', content);
    await planet.kill(5);
    await assertStored(planet, '/degraded', content);
  });

  it('refuses to store without two, before any byte, and leaves nothing behind', async () => {
    await planet.kill(4, 5);
    const up = [1, 2, 3, 6];
    const usage = async (): Promise<number[]> =>
      Promise.all(up.map(async (n) => (await planet.peer(n).store.usage()).bytes));
    const before = await usage();
    let asked = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      asked = true;
      yield new Uint8Array(MIB);
    };
    await assert.rejects(put(planet, '/refused', source()), {
      code: 'TOO_FEW_PEERS',
      message: /^4 of 6 peers answer, and a put needs 5\. Start peer-[45], peer-[45] and/,
    });
    assert.ok(!asked, 'no byte was read');
    assert.deepEqual(await usage(), before);
    assert.ok(!(await paths(planet)).includes('/refused'));
  });

  it('a put during which one peer dies succeeds, and is degraded', async () => {
    const content = seededBytes('one dies', 20 * MIB);
    planet.relay(3).cutAfterBytes = 1.5 * MIB;
    const { missingChunks } = await put(planet, '/one-dies', content);
    assert.ok(missingChunks >= 1, String(missingChunks));
    await assertStored(planet, '/one-dies', content);
  });

  it('a put during which two peers die fails, shows nothing, and gives its space back', async () => {
    const before = await planet.usage();
    const known = await paths(planet);
    for (const n of [3, 5]) planet.relay(n).cutAfterBytes = 1.5 * MIB;
    await assert.rejects(put(planet, '/two-die', seededBytes('two die', 20 * MIB)), {
      code: 'UNAVAILABLE',
      message: /^Only 4 of 6 peers took their part/,
    });
    assert.deepEqual(await paths(planet), known);
    for (const n of [3, 5]) await planet.reconnect(n);
    await planet.deliver();
    assert.deepEqual(await planet.usage(), before);
  });

  it('a new version that fails leaves the old one', async () => {
    const old = seededBytes('old', 200_000);
    await put(planet, '/replaced', old);
    for (const n of [3, 5]) planet.relay(n).cutAfterBytes = 1 * MIB;
    await assert.rejects(put(planet, '/replaced', seededBytes('new', 16 * MIB)), { code: 'UNAVAILABLE' });
    assert.ok((await read(planet, '/replaced')).equals(old));
    assert.equal((await planet.engine.catalog.versions(planet.session, '/replaced')).length, 1);
  });

  it('a peer that was away when a file was removed is told when it is back', async () => {
    await put(planet, '/away', seededBytes('away', 600_000));
    const full = (await planet.peer(6).store.usage()).bytes;
    await planet.stop(6);
    const { peers, ...removed } = await remove(planet, '/away');
    assert.deepEqual(removed, { files: 1, pendingChunks: 1, pendingHomes: 0, homes: [] });
    assert.deepEqual(
      peers.filter(({ waiting }) => waiting > 0).map(({ waiting }) => waiting),
      [1],
    );
    await planet.start(6);
    assert.equal((await planet.peer(6).store.usage()).bytes, full);
    await planet.deliver();
    assert.ok((await planet.peer(6).store.usage()).bytes < full);
    assert.equal(planet.engine.outbox.pending(), 0);
  });

  it('a get goes on without a peer that hangs', async () => {
    planet.relay(2).stall();
    const startMs = performance.now();
    await assertStored(planet, '/film', FILM);
    // Whoever waits for the peer waits until the transfer counts as broken.
    assert.ok(performance.now() - startMs < IDLE_TIMEOUT_MS / 2);
  });
});
