/** Chunks rot, vanish and are lied about; whoever reads gets the truth. Six peers, 4+2. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../../src/errors.js';
import type { FetchedStripe } from '../../src/file/worker/protocol.js';
import { HEDGE_AFTER_MS, SEGMENT_BYTES } from '../../src/limits.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { deleteFile, flipInFile, lie, overwriteRow, truncateFile } from './damage.js';
import { assertStored, getAll, put, read, remove } from './files.js';
import { Planet, type Placed } from './planet.js';

const MIB = 1024 * 1024;
const FILE = seededBytes('to be damaged', 3 * MIB);
const OTHER = seededBytes('undamaged', 2 * MIB);

describe('damage at a peer', () => {
  let planet: Planet;
  /** Who was reported, by the segments that were wrong. */
  let reported: FetchedStripe['corrupt'][number][];
  let mend: (() => void)[];

  before(async () => {
    planet = await Planet.open();
    const { pool } = planet.engine;
    const fetch = pool.fetchStripe.bind(pool);
    pool.fetchStripe = async (job, signal) => {
      // Whoever was slow before, as on a busy machine, is asked all the same.
      const fetched = await fetch({ ...job, pace: job.pace.map(() => 0) }, signal);
      reported.push(...fetched.corrupt);
      return fetched;
    };
    await put(planet, '/other', OTHER);
  });
  after(() => planet[Symbol.asyncDispose]());

  beforeEach(async () => {
    [reported, mend] = [[], []];
    await put(planet, '/file', FILE);
  });
  afterEach(async () => {
    for (const one of mend) one();
    for (const n of planet.numbers) planet.relay(n).flow();
    await remove(planet, '/file');
  });

  /** Chunk `index` of the file, and where it lies; below 4 it holds data. */
  async function chunk(index: number): Promise<Placed & { readonly home: string }> {
    const placed = (await planet.chunksOf('/file')).find((one) => one.index === index);
    assert.ok(placed !== undefined);
    return { ...placed, home: planet.home(placed.peer) };
  }

  function assertReported(culprits: readonly { readonly placed: Placed; readonly segment: number }[]): void {
    const found = new Set(reported.map(({ chunk: id, peer, segments }) => `${id} ${peer} ${segments.join()}`));
    const expected = culprits.map(({ placed: { id, peer }, segment }) => `${id} ${planet.id(peer)} ${String(segment)}`);
    assert.deepEqual(found, new Set(expected));
  }

  it('a flipped bit: the file is right, and the culprit is named', async () => {
    const rotten = await chunk(1);
    await flipInFile(rotten, 2 * SEGMENT_BYTES + 17);
    await assertStored(planet, '/file', FILE);
    assertReported([{ placed: rotten, segment: 2 }]);
  });

  it('flipped bits at two peers: the file is right, and both are named', async () => {
    const [one, two] = [await chunk(0), await chunk(3)];
    await flipInFile(one, 1);
    await flipInFile(two, SEGMENT_BYTES);
    await assertStored(planet, '/file', FILE);
    assertReported([
      { placed: one, segment: 0 },
      { placed: two, segment: 1 },
    ]);
  });

  it('flipped bits at three peers: that file is CORRUPT or UNAVAILABLE, never wrong; others are unaffected', async () => {
    // At different places: the same error in two chunks can cancel out where a third is computed from them.
    for (const index of [0, 1, 2]) await flipInFile(await chunk(index), 5 + index);
    await assert.rejects(read(planet, '/file'), (error) => StorageError.is(error, 'CORRUPT', 'UNAVAILABLE'));
    const [file, other] = await getAll(planet, ['/file', '/other']);
    assert.ok(file instanceof StorageError && StorageError.is(file, 'CORRUPT', 'UNAVAILABLE'));
    assert.deepEqual(other, Buffer.from(OTHER));
  });

  it('a range beside the damage does not notice it', async () => {
    await flipInFile(await chunk(0), 3 * SEGMENT_BYTES);
    assert.ok((await read(planet, '/file', { from: 0, to: 1000 })).equals(FILE.subarray(0, 1000)));
    assert.deepEqual(reported, []);
  });

  it('a file cut short, another deleted: the file is right, and other chunks are unaffected', async () => {
    await truncateFile(await chunk(0), SEGMENT_BYTES + 1);
    await deleteFile(await chunk(2));
    await assertStored(planet, '/file', FILE);
    await assertStored(planet, '/other', OTHER);
  });

  it('a file cut to nothing is as good as deleted', async () => {
    await truncateFile(await chunk(0), 0);
    await assertStored(planet, '/file', FILE);
  });

  it('a small chunk overwritten in the index: the file is right', async () => {
    const note = seededBytes('note', 3000);
    await put(planet, '/note', note);
    for (const [index, content] of [
      [0, new Uint8Array(10)],
      [1, undefined],
    ] as const) {
      const placed = (await planet.chunksOf('/note')).find((one) => one.index === index);
      assert.ok(placed !== undefined);
      // The source has to stay up: what lies there is left alone.
      if (placed.peer === 1) continue;
      await planet.stop(placed.peer);
      const place = { home: planet.home(placed.peer), id: placed.id };
      await overwriteRow(place, content ?? new Uint8Array(placed.stripe.chunkBytes));
      await planet.start(placed.peer);
    }
    await assertStored(planet, '/note', note);
  });

  for (const n of [1, 2]) {
    it(`peer ${String(n)} sends wrong bytes of the right length: the file is right, and it is named`, async () => {
      mend.push(lie(planet.peer(n).store, { bytes: ({ bytes }) => Uint8Array.from(bytes, (byte) => byte ^ 0xff) }));
      await assertStored(planet, '/file', FILE);
      await assertStored(planet, '/other', OTHER);
      assert.ok(reported.every(({ peer }) => peer === planet.id(n)));
      const holdsData = [...(await planet.chunksOf('/file')), ...(await planet.chunksOf('/other'))].some(
        ({ peer, index }) => peer === n && index < 4,
      );
      assert.equal(reported.length > 0, holdsData);
    });

    it(`peer ${String(n)} sends a wrong hash list: the file is right`, async () => {
      mend.push(lie(planet.peer(n).store, { hashes: (hashes) => Uint8Array.from(hashes, (byte) => byte ^ 1) }));
      await assertStored(planet, '/file', FILE);
    });
  }

  it('two peers that lie together do not deceive anybody', async () => {
    const bytes = (segment: { readonly bytes: Uint8Array }): Uint8Array => new Uint8Array(segment.bytes.length);
    for (const index of [0, 1]) mend.push(lie(planet.peer((await chunk(index)).peer).store, { bytes }));
    await assertStored(planet, '/file', FILE);
  });

  it('a peer that hangs in the middle of a get is passed over', async () => {
    const slow = (await planet.chunksOf('/file')).find(({ peer, index }) => peer !== 1 && index < 4);
    assert.ok(slow !== undefined);
    planet.relay(slow.peer).stall();
    const startMs = performance.now();
    await assertStored(planet, '/file', FILE);
    // A transfer that nobody hedges breaks after 30 s.
    assert.ok(performance.now() - startMs < 20 * HEDGE_AFTER_MS);
  });

  it('a peer that sends a piece at a time, far apart, does not hold up a get', async () => {
    const slow = (await planet.chunksOf('/file')).find(({ peer, index }) => peer !== 1 && index < 4);
    assert.ok(slow !== undefined);
    planet.relay(slow.peer).delayMs = 1_500;
    const startMs = performance.now();
    await assertStored(planet, '/file', FILE);
    assert.ok(performance.now() - startMs < 20 * HEDGE_AFTER_MS);
  });
});
