/** Chunks that lie at peers for nothing, and what deleting gives back: three peers, 2+1. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { collectGarbageNow, type ListedPeer } from '../../src/file/garbage/garbage.js';
import { listNextPage } from '../../src/file/garbage/list-peer.js';
import type { Swept } from '../../src/file/garbage/sweep.js';
import { segmentsOf } from '../../src/chunk/chunk-store.js';
import { openLabel } from '../../src/chunk/label.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { StorageError } from '../../src/errors.js';
import { HOME } from '../../src/home.js';
import { GARBAGE_AGE_MS, GARBAGE_LISTINGS, HOMES_RETRY_MS, SEGMENT_BYTES } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { TestUser } from '../wire/network.js';
import { assertStored, paths, put, putAll, remove } from './files.js';
import { PASSPHRASE, Planet } from './planet.js';

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

/** After the first listing: with as many as are needed, but for the last. */
async function passGrace(planet: Planet, graceMs = GARBAGE_AGE_MS): Promise<void> {
  for (let n = 0; n < GARBAGE_LISTINGS - 2; n++) {
    for (const { id } of planet.engine.book.list()) {
      while (!(await listNextPage(planet.engine, planet.session, id, NEVER)));
    }
  }
  await planet.passTime(graceMs);
}

/** Removes a file while peer 3 is away, and loses the note that peer 3 has to be told. */
async function forgetToTell(planet: Planet, path: string): Promise<void> {
  await planet.stop(3);
  const { pendingChunks } = await remove(planet, path);
  assert.equal(pendingChunks, 1);
  const { outbox } = planet.engine;
  await planet.passTime(HOUR_MS);
  await outbox.done(
    outbox.due(planet.session.user).flatMap(({ deletes }) => deletes),
    async () => undefined,
  );
  assert.equal(outbox.pending(), 0);
  await planet.start(3);
}

/** Names and sizes of the files below the folder of a peer's chunks: those of chunks, and the index with its log. */
async function onDisk(planet: Planet, n: number): Promise<{ readonly chunks: number; readonly index: number }> {
  const folder = join(planet.home(n), HOME.chunks);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  let [chunks, index] = [0, 0];
  for (const entry of entries.filter((each) => each.isFile())) {
    const { size } = await stat(join(entry.parentPath, entry.name));
    if (/^[0-9a-f]{64}$/.test(entry.name)) chunks += size;
    else if (entry.name.includes('.sqlite')) index += size;
  }
  return { chunks, index };
}

/** How many of the pieces of chunks any file of the peer has. */
async function piecesOnDisk(planet: Planet, n: number, pieces: readonly Buffer[]): Promise<number> {
  const entries = await readdir(planet.home(n), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name))));
  return pieces.filter((piece) => contents.some((bytes) => bytes.includes(piece))).length;
}

describe('removing for ever', () => {
  const LARGE = seededBytes('large', 3_000_000);
  const SMALL = Array.from({ length: 12 }, (_, i) => seededBytes(`small ${String(i)}`, 60_000));
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  /** Each in a stripe of its own, whose chunks are small enough for SQLite. */
  async function putSamples(): Promise<void> {
    await put(planet, '/large', LARGE);
    for (const [i, bytes] of SMALL.entries()) await put(planet, `/small/${String(i)}`, bytes);
  }

  /** 32 bytes of each chunk that a peer holds. */
  async function piecesOf(n: number): Promise<Buffer[]> {
    const { store } = planet.peer(n);
    const pieces: Buffer[] = [];
    for await (const { id } of store.list({ signal: NEVER })) {
      const { segments } = await store.get(id, { signal: NEVER, segments: [0] });
      for await (const { bytes } of segments) pieces.push(Buffer.from(bytes.subarray(1_000, 1_032)));
    }
    return pieces;
  }

  it('leaves no byte of a chunk on any disk, and the room in SQLite for what comes next', async () => {
    await putSamples();
    const pieces = await Promise.all(planet.numbers.map(piecesOf));
    for (const [at, n] of planet.numbers.entries()) {
      assert.equal(pieces[at]?.length, 13);
      assert.equal(await piecesOnDisk(planet, n, pieces[at] ?? []), 13, 'the search finds what is there');
      assert.ok((await onDisk(planet, n)).chunks > LARGE.length / 2);
    }
    for (const path of ['/large', '/small']) assert.equal((await remove(planet, path)).pendingChunks, 0);
    assert.deepEqual(await planet.usage(), [0, 0, 0]);
    await planet.stop(...planet.numbers);
    const index = new Map<number, number>();
    for (const [at, n] of planet.numbers.entries()) {
      const left = await onDisk(planet, n);
      assert.equal(left.chunks, 0);
      index.set(n, left.index);
      assert.equal(await piecesOnDisk(planet, n, pieces[at] ?? []), 0);
    }
    for (const n of planet.numbers.toReversed()) await planet.start(n);
    await putSamples();
    await planet.stop(...planet.numbers);
    for (const n of planet.numbers) {
      const grown = (await onDisk(planet, n)).index - (index.get(n) ?? 0);
      assert.ok(grown < 100_000, `the index of peer ${String(n)} has grown by ${String(grown)} bytes, not 360 kB`);
    }
  });
});

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
    await passGrace(planet);
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
    await passGrace(planet, GARBAGE_AGE_MS + HOMES_RETRY_MS);
    // Of an upload that goes on there, for instance.
    const stripes = planet.engine.strays.ripe(planet.session.user, { graceMs: 0, listings: 0, old: true, limit: 10 });
    assert.equal(stripes.length, 1);
    for (const { stripe } of stripes) planet.peer(2).engine.pinned.add(stripe);
    assert.equal((await collect(planet)).chunks, 0);
    planet.peer(2).engine.pinned.clear();
    assert.equal((await collect(planet)).chunks, 1);
    assert.deepEqual(await planet.usage(), before);
  });
});

describe('a stripe whose owner nobody knows any more', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
    await collect(planet);
    await planet.passTime(HOUR_MS);
  });
  after(() => planet[Symbol.asyncDispose]());

  it('stays with its record, whatever users of the network collect; its owner’s own order still deletes it', async () => {
    const stranger = new TestUser();
    const shape = describeChunk(GONE.subarray(0, 70_000));
    const { label } = stranger.authorize(shape, planet.id(1));
    const header = { ...shape, owner: stranger.id, label };
    await planet.peer(3).store.put(header, segmentsOf(GONE.subarray(0, 70_000), SEGMENT_BYTES), { signal: NEVER });
    const { stripe, k, m, stripeBytes: bytes, chunkBytes, chunks } = openLabel(label);
    const placement = chunks.map((id) => (id === shape.id ? { peer: planet.id(3) } : undefined));
    const { catalog, links } = planet.engine;
    await catalog.putStripes([{ id: stripe, owner: stranger.id, k, m, bytes, chunkBytes, chunks, placement, label }]);
    await collect(planet);
    await passGrace(planet);
    assert.equal((await collect(planet, true)).chunks, 0);
    await catalog.forgetStripes(planet.session, [stripe]);
    assert.equal((await catalog.stripes([stripe]))[0]?.owner, stranger.id);
    const kept = async (): Promise<number> => (await planet.peer(3).store.has([shape.id], { signal: NEVER })).size;
    assert.equal(await kept(), 1);
    const authorization = stranger.orderDelete(planet.id(3), [shape.id]);
    await links.store(planet.id(3)).delete(stranger.id, [shape.id], { signal: NEVER, authorization });
    assert.equal(await kept(), 0);
  });
});

describe('a file that another home has stored and this one has not heard of', () => {
  const FILE = seededBytes('at home elsewhere', 600_000);
  let planet: Planet;

  before(async () => {
    // Peer 1 is the backup host: cut off, it hears of nothing, and still asks the others what they hold.
    planet = await Planet.open({ peers: 6, backupHosts: 1 });
    await put(planet, '/kept', KEPT);
    await collect(planet);
    await planet.passTime(HOUR_MS);
  });
  after(() => planet[Symbol.asyncDispose]());

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(what);
  }

  function strays(): number {
    return planet.engine.strays.totals().reduce((sum, { chunks }) => sum + chunks, 0);
  }

  it('is left alone until its home has told of it, though that is locked by then', async () => {
    const other = planet.peer(2);
    await until('peer 2 knows the user', async () => (await other.engine.catalog.users()).length > 0);
    await other.sessions.unlock('demo', PASSPHRASE);
    await until('peer 1 knows of its home', async () => (await planet.engine.catalog.homes()).length === 2);
    await collect(planet);
    await planet.passTime(GARBAGE_AGE_MS);
    await other.sessions.unlock('demo', PASSPHRASE);
    planet.relay(1).cut();
    const outcomes = await putAll({ engine: other.engine, session: other.sessions.get('demo') }, { '/other': FILE });
    assert.deepEqual(
      [...outcomes.values()].filter((outcome) => outcome instanceof StorageError),
      [],
    );
    await other.sessions.lock('demo');
    await collect(planet);
    assert.ok(strays() > 0, 'what is there looks like garbage');
    await passGrace(planet);
    const swept = await collect(planet);
    assert.deepEqual([swept.chunks, swept.awaited], [0, [planet.id(2)]]);
    const which = { graceMs: 0, listings: 0, old: true, limit: 10 };
    const stripes = planet.engine.strays.ripe(planet.session.user, which).map(({ stripe }) => stripe);
    await planet.reconnect(1);
    await until('peer 1 has heard', async () => (await paths(planet)).includes('/other'));
    // Records of stripes come in a database of their own, be it after the file.
    await until(
      'peer 1 has the records',
      async () => !(await planet.engine.catalog.stripes(stripes)).includes(undefined),
    );
    await collect(planet);
    assert.equal(strays(), 0);
    await assertStored(planet, '/other', FILE);
  });
});
