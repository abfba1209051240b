/** Chunks rot, vanish and lose their rows; a scrub puts them right, moving no more than it must. Six peers, 4+2. */
import assert from 'node:assert/strict';
import { access, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { ChunkId } from '../../src/chunk/ids.js';
import { idBytes } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import type { ScrubTotals } from '../../src/healing/scrub-report.js';
import { healedInWords } from '../../src/healing/scrub-report.js';
import { HOME } from '../../src/home.js';
import { SEGMENT_BYTES, STRAY_AGE_MS } from '../../src/limits.js';
import { openNative, type SqlValue } from '../../src/store/sqlite-driver.js';
import { NEVER, readChunk } from '../contract/offer.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { eventually } from '../sync/sync-network.js';
import { deleteFile, flipInFile, lie, truncateFile } from './damage.js';
import { assertStored, put, remove } from './files.js';
import { Planet, type Placed } from './planet.js';

const MIB = 1024 * 1024;
const FILE = seededBytes('to be scrubbed', 3 * MIB);
/** Three stripes where two data chunks make one. */
const LONG = seededBytes('of several stripes', 20 * MIB);
const NOTE = seededBytes('a small one', 3_000);
const K = 4;

type Place = Placed & { readonly home: string };

function fileOf({ home, id }: Pick<Place, 'home' | 'id'>): string {
  return join(home, HOME.chunks, 'chunks', id.slice(0, 2), id);
}

describe('a scrub', () => {
  let planet: Planet;
  let mend: (() => void)[];

  before(async () => {
    planet = await Planet.open();
    await put(planet, '/note', NOTE);
  });
  after(() => planet[Symbol.asyncDispose]());

  beforeEach(async () => {
    mend = [];
    await put(planet, '/file', FILE);
  });
  afterEach(async () => {
    for (const one of mend) one();
    for (const n of planet.numbers) planet.relay(n).flow();
    await remove(planet, '/file');
  });

  async function chunks(path = '/file'): Promise<Place[]> {
    return (await planet.chunksOf(path)).map((placed) => ({ ...placed, home: planet.home(placed.peer) }));
  }

  /** A chunk of the file that does not lie at the source, so that its peer may be stopped. */
  async function chunk(at = 0, path = '/file'): Promise<Place> {
    const placed = (await chunks(path)).filter(({ peer }) => peer !== 1)[at];
    assert.ok(placed !== undefined);
    return placed;
  }

  /** The one at the source, which knows the records of the stripes; the other peers of this network know none. */
  async function ownChunk(path = '/file'): Promise<Place> {
    const placed = (await chunks(path)).find(({ peer }) => peer === 1);
    assert.ok(placed !== undefined);
    return placed;
  }

  function scrub({ peer }: Place): Promise<ScrubTotals> {
    return planet.peer(peer).scrub.run({ signal: NEVER });
  }

  /** Alters the index of a peer that is stopped meanwhile. */
  async function alter({ peer, home }: Place, sql: string, ...values: readonly SqlValue[]): Promise<void> {
    await planet.stop(peer);
    const database = await openNative(join(home, HOME.chunks, 'index.sqlite'));
    database.prepare(sql).run(...values);
    database.close();
    await planet.start(peer);
  }

  async function assertSound(place: Place): Promise<void> {
    const { mending } = planet.peer(place.peer).store;
    const found = await mending.inspect(place.id, { signal: NEVER });
    assert.deepEqual([found?.fault, found?.wrong, found?.claims.length], [undefined, [], 1]);
    assert.deepEqual(mending.scrubs.damages(9), []);
  }

  it('finds nothing where nothing is wrong, and has read everything', async () => {
    const place = await chunk();
    const { chunks: stored, bytes } = await planet.peer(place.peer).store.usage();
    const totals = await scrub(place);
    assert.deepEqual([totals.chunks, totals.bytes, healedInWords(totals)], [stored, bytes, '']);
  });

  it('heals exactly the rotten segment, and moves k of them', async () => {
    const place = await chunk();
    const before = await readFile(fileOf(place));
    await flipInFile(place, 2 * SEGMENT_BYTES + 17);
    const totals = await scrub(place);
    assert.equal(healedInWords(totals), '1 segment (128 KiB) healed, moved 512 KiB');
    assert.deepEqual([totals.healedSegments, totals.movedBytes], [1, K * SEGMENT_BYTES]);
    assert.ok((await readFile(fileOf(place))).equals(before));
    await assertSound(place);
    assert.equal((await scrub(place)).healedSegments, 0);
  });

  it('heals a file that was cut off from there on, one that has vanished whole, and one that is too long', async () => {
    const [cut, gone, long] = [await chunk(0), await chunk(1), await chunk(2)];
    const before = await readFile(fileOf(cut));
    await truncateFile(cut, 4 * SEGMENT_BYTES + 1);
    await deleteFile(gone);
    await writeFile(fileOf(long), 'more', { flag: 'a' });
    const tail = before.length - 4 * SEGMENT_BYTES;
    assert.deepEqual(await healed(cut), [Math.ceil(tail / SEGMENT_BYTES), tail, K * tail]);
    assert.deepEqual(await healed(gone), [Math.ceil(before.length / SEGMENT_BYTES), before.length, K * before.length]);
    assert.deepEqual(await healed(long), [0, 0, 0]);
    for (const place of [cut, gone, long]) await assertSound(place);
    assert.ok((await readFile(fileOf(cut))).equals(before));
    await assertStored(planet, '/file', FILE);
  });

  async function healed(place: Place): Promise<number[]> {
    const { healedSegments, healedBytes, movedBytes, healedChunks, failures } = await scrub(place);
    assert.deepEqual([healedChunks, failures], [1, 0]);
    return [healedSegments, healedBytes, movedBytes];
  }

  it('takes a chunk up again whose row is gone, by what its file and the record say', async () => {
    const place = await ownChunk();
    await alter(place, 'DELETE FROM claims WHERE chunk = ?', idBytes(place.id));
    await alter(place, 'DELETE FROM chunks WHERE id = ?', idBytes(place.id));
    await assert.rejects(readChunk(planet.peer(place.peer).store, place.id), { code: 'NOT_FOUND' });
    const totals = await scrub(place);
    assert.deepEqual([totals.adoptedChunks, totals.healedSegments, totals.movedBytes], [1, 0, 0]);
    await assertSound(place);
  });

  it('rebuilds a chunk whose row is gone and whose file has rotted: nothing but its id is known', async () => {
    const place = await ownChunk();
    const before = await readFile(fileOf(place));
    await flipInFile(place, 5);
    await alter(place, 'DELETE FROM claims WHERE chunk = ?', idBytes(place.id));
    await alter(place, 'DELETE FROM chunks WHERE id = ?', idBytes(place.id));
    assert.deepEqual(await healed(place), [Math.ceil(before.length / SEGMENT_BYTES), before.length, K * before.length]);
    assert.ok((await readFile(fileOf(place))).equals(before));
    await assertSound(place);
  });

  it('rebuilds a small chunk, all of which lay in the index', async () => {
    const place = await ownChunk('/note');
    await alter(place, 'UPDATE contents SET bytes = zeroblob(10) WHERE chunk = ?', idBytes(place.id));
    assert.equal((await healed(place))[0], 1);
    await assertSound(place);
    await alter(place, 'DELETE FROM chunks WHERE id = ?', idBytes(place.id));
    assert.equal((await healed(place))[0], 1);
    await assertSound(place);
    await assertStored(planet, '/note', NOTE);
  });

  it('finds a hash list again, by the file or by the others; and a label, by the record', async () => {
    const [place, other] = [await ownChunk(), await chunk()];
    const zeros = 'UPDATE chunks SET hashes = zeroblob(length(hashes)) WHERE id = ?';
    await alter(place, zeros, idBytes(place.id));
    assert.deepEqual(await healed(place), [0, 0, 0]);
    await alter(other, zeros, idBytes(other.id));
    await flipInFile(other, 3 * SEGMENT_BYTES);
    assert.deepEqual((await healed(other))[0], 1);
    await alter(place, 'UPDATE claims SET label = zeroblob(9) WHERE chunk = ?', idBytes(place.id));
    assert.equal((await scrub(place)).mendedRows, 1);
    await alter(place, 'DELETE FROM claims WHERE chunk = ?', idBytes(place.id));
    assert.equal((await scrub(place)).mendedRows, 1);
    for (const one of [place, other]) await assertSound(one);
  });

  it('removes a file that nobody wants, when it has been there for long; not what was deleted, nor what is new', async () => {
    const place = await ownChunk();
    const stray = { ...place, id: 'ab'.repeat(32) as ChunkId };
    await mkdir(dirname(fileOf(stray)), { recursive: true });
    await writeFile(fileOf(stray), 'nobody’s');
    assert.equal((await scrub(place)).removedFiles, 0);
    await access(fileOf(stray));
    await utimes(fileOf(stray), new Date(0), new Date(0));
    await planet.passTime(STRAY_AGE_MS + 1_000);
    assert.equal((await scrub(place)).removedFiles, 1);
    await assert.rejects(access(fileOf(stray)), { code: 'ENOENT' });
  });

  it('does not bring back what its owner has deleted here, while the record is late', async () => {
    const place = await ownChunk();
    const { store } = planet.peer(place.peer);
    await store.delete(planet.session.user, [place.id], { signal: NEVER });
    const totals = await scrub(place);
    assert.deepEqual([totals.healedChunks, totals.failures], [0, 0]);
    assert.equal(store.mending.has(place.id), false);
  });

  it('says it when too few others can be had, makes nothing worse, and tries again', async () => {
    const place = await chunk();
    await flipInFile(place, 17);
    await flipInFile(place, 4 * SEGMENT_BYTES);
    const before = await readFile(fileOf(place));
    const others = (await chunks()).filter(({ peer }) => peer !== place.peer && peer !== 1).slice(0, 2);
    for (const { peer } of others) await planet.stop(peer);
    const totals = await scrub(place);
    assert.deepEqual([totals.healedSegments, totals.failures], [0, 1]);
    assert.match(healedInWords(totals), /1 damaged chunk could not be mended yet/);
    const { damaged, damages } = planet.peer(place.peer).scrub.state();
    assert.equal(damaged, 1);
    assert.match(damages[0]?.reason ?? '', /^Only 3 other chunks of stripe .* 4 are needed\. .*peer-\d/);
    assert.ok((await readFile(fileOf(place))).equals(before));
    for (const { peer } of others) await planet.start(peer);
    assert.equal((await scrub(place)).healedSegments, 2);
    await assertSound(place);
  });

  it('passes by a liar among the sources, and one that stalls', async () => {
    const place = await chunk();
    const [liar, slow] = (await chunks()).filter(({ peer }) => peer !== place.peer && peer !== 1);
    assert.ok(liar !== undefined && slow !== undefined);
    await flipInFile(place, 17);
    mend.push(lie(planet.peer(liar.peer).store, { bytes: ({ bytes }) => Uint8Array.from(bytes, (byte) => byte ^ 1) }));
    assert.equal((await scrub(place)).healedSegments, 1);
    await assertSound(place);
    mend.pop()?.();
    await flipInFile(place, 17);
    planet.relay(slow.peer).stall();
    assert.equal((await scrub(place)).healedSegments, 1);
    await assertSound(place);
  });

  it('makes do with sources that have rotted in other places', async () => {
    const [place, ...others] = (await chunks()).filter(({ peer }) => peer !== 1);
    assert.ok(place !== undefined);
    for (const segment of [0, 1, 2]) await flipInFile(place, segment * SEGMENT_BYTES);
    for (const [at, other] of others.slice(0, 3).entries()) await flipInFile(other, at * SEGMENT_BYTES);
    const totals = await scrub(place);
    assert.deepEqual([totals.healedSegments, totals.failures], [3, 0]);
    await assertSound(place);
    for (const other of others.slice(0, 3)) assert.equal((await scrub(other)).healedSegments, 1);
  });

  it('goes on where it was after a restart, and reads first what a reader found damaged', async () => {
    const place = await chunk();
    const abort = new AbortController();
    const timesOf = (): Map<ChunkId, number> => {
      const all = planet.peer(place.peer).store.mending.scrubs.oldest(Number.MAX_SAFE_INTEGER, 1_000);
      return new Map(all.map(({ id, readMs }) => [id, readMs]));
    };
    const before = timesOf();
    const broken = planet.peer(place.peer).scrub.run({
      signal: abort.signal,
      onRead: () => {
        abort.abort(new StorageError('CANCELLED', 'Enough.'));
      },
    });
    await assert.rejects(broken, { code: 'CANCELLED' });
    await planet.restart(place.peer);
    const { store } = planet.peer(place.peer);
    assert.ok(before.size > 1);
    assert.equal([...timesOf()].filter(([id, readMs]) => before.get(id) !== readMs).length, 1);
    await deleteFile(place);
    await assert.rejects(readChunk(store, place.id), { code: 'CORRUPT' });
    assert.deepEqual(store.mending.scrubs.oldest(Number.MAX_SAFE_INTEGER, 1)[0]?.id, place.id);
    await scrub(place);
    await assertSound(place);
  });

  it('reads first what a get found rotten on the disk of its own peer', async () => {
    let place = await ownChunk();
    // A get reads the chunks that hold data.
    while (place.index >= K) {
      await put(planet, '/file', FILE);
      place = await ownChunk();
    }
    await flipInFile(place, SEGMENT_BYTES + 3);
    await assertStored(planet, '/file', FILE);
    const { scrubs } = planet.peer(1).store.mending;
    const [first] = scrubs.oldest(Number.MAX_SAFE_INTEGER, 1);
    assert.deepEqual([first?.id, first?.readMs], [place.id, 0]);
    await scrub(place);
    await assertSound(place);
  });

  it('is one at a time, and ends with the peer', async () => {
    const place = await chunk();
    const { scrub: one } = planet.peer(place.peer);
    const running = one.run({ signal: NEVER });
    await assert.rejects(one.run({ signal: NEVER }), { code: 'CONFLICT' });
    assert.equal(one.state().phase, 'asked');
    await running;
    assert.equal(one.state().phase, 'off');
  });
});

describe('a scrub at a peer where the user is not at home', () => {
  it('knows by the replicated record which chunks are lost, and restores them', async () => {
    await using planet = await Planet.open({ peers: 3, backupHosts: 1 });
    await put(planet, '/file', LONG);
    const placed = (await planet.chunksOf('/file')).find(({ peer }) => peer === 3);
    assert.ok(placed !== undefined);
    const { id, stripe } = placed;
    await eventually(async () => {
      const [record] = await planet.peer(3).engine.catalog.stripes([stripe.id]);
      assert.ok(record !== undefined);
    });
    await planet.stop(3);
    const store = join(planet.home(3), HOME.chunks);
    // The whole index: nothing is left but the files.
    for (const name of ['index.sqlite', 'index.sqlite-wal']) await rm(join(store, name), { force: true });
    await flipInFile({ home: planet.home(3), id }, 77);
    await planet.start(3);
    const totals = await planet.peer(3).scrub.run({ signal: NEVER });
    const own = (await planet.chunksOf('/file')).filter(({ peer }) => peer === 3);
    assert.deepEqual([totals.healedChunks, totals.adoptedChunks, totals.failures], [own.length, own.length - 1, 0]);
    for (const one of own) assert.ok((await readChunk(planet.peer(3).store, one.id)).length === one.stripe.chunkBytes);
    // With a third of what there was away, all of it has to be right.
    await planet.stop(2);
    await assertStored(planet, '/file', LONG);
  });
});
