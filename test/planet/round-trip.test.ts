/** What is put comes back, from a small network of three peers: 2+1, stripes of 8 MiB. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { soloExtentPlainBytes } from '../../src/chunk/stripe-layout.js';
import { StorageError } from '../../src/errors.js';
import { stripeCapacity } from '../../src/file/pack.js';
import { BLOCK_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { assertStored, getAll, localSource, paths, put, putAll, read, remove } from './files.js';
import { Planet } from './planet.js';

const K = 2;
const KIB = 1024;
const MIB = 1024 * KIB;

describe('a network of three peers', () => {
  let planet: Planet;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  const sizes = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, K * SEGMENT_BYTES - 1, K * SEGMENT_BYTES];

  for (const bytes of [...sizes, K * SEGMENT_BYTES + 1, MIB + 1]) {
    it(`gives back ${String(bytes)} bytes, put from a stream and from a file`, async () => {
      const content = seededBytes(`size ${String(bytes)}`, bytes);
      const local = join(planet.folder, 'local');
      await writeFile(local, content);
      const stored = await putAll(planet, { '/size/stream': content, '/size/file': await localSource(local) });
      for (const path of ['/size/stream', '/size/file']) {
        const result = stored.get(path);
        assert.ok(result !== undefined && !(result instanceof StorageError), path);
        assert.deepEqual([result.bytes, result.missingChunks], [bytes, 0]);
        assert.equal(result.stripes, bytes === 0 ? 0 : 1);
        await assertStored(planet, path, content);
      }
    });
  }

  it('gives back what fills a stripe to the last byte, one byte less, one more, and several stripes', async () => {
    const local = join(planet.folder, 'large');
    const path = '/stripe';
    const full = soloExtentPlainBytes(stripeCapacity(K), path);
    const content = seededBytes('stripes', 2 * full + 5 * MIB);
    for (const [bytes, stripes] of [
      [full - 1, 1],
      [full, 1],
      [full + 1, 2],
      [content.length, 3],
    ] as const) {
      await writeFile(local, content.subarray(0, bytes));
      assert.equal((await put(planet, path, await localSource(local))).stripes, stripes);
      await assertStored(planet, path, content.subarray(0, bytes));
      assert.equal((await put(planet, path, content.subarray(0, bytes))).stripes, stripes);
      assert.ok((await read(planet, path)).equals(content.subarray(0, bytes)));
    }
    await remove(planet, path);
  });

  it('takes a stream of unknown length in pieces of any size', async () => {
    const content = seededBytes('stream', 9 * MIB);
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0, step = 1; at < content.length; at += step, step = Math.min(step * 3, 700_001)) {
        yield content.subarray(at, at + step);
      }
    };
    const { bytes, stripes } = await put(planet, '/stream', stream());
    assert.deepEqual([bytes, stripes], [content.length, 2]);
    await assertStored(planet, '/stream', content);
  });

  it('reads any range of a file of several stripes', async () => {
    const content = seededBytes('stream', 9 * MIB);
    await put(planet, '/ranges', content);
    const border = soloExtentPlainBytes(stripeCapacity(K), '/ranges');
    const edges = [0, 1, BLOCK_BYTES, SEGMENT_BYTES, border - 1, border, border + 1, content.length];
    const position = fc.oneof(fc.constantFrom(...edges), fc.nat({ max: content.length }));
    await fc.assert(
      fc.asyncProperty(position, fc.oneof(fc.nat({ max: 200_000 }), position), async (from, length) => {
        const to = Math.min(from + length, content.length);
        const range = await read(planet, '/ranges', { from, to });
        assert.ok(range.equals(content.subarray(from, to)), `${String(from)}–${String(to)}`);
      }),
      {
        numRuns: 40,
        examples: [
          [border - 1, 2],
          [0, 0],
          [content.length, 0],
        ],
      },
    );
  });

  it('refuses a range that is not within the file', async () => {
    await put(planet, '/short', new Uint8Array(10));
    for (const [from, to] of [
      [0, 11],
      [-1, 5],
      [6, 5],
      [0.5, 5],
    ] as const) {
      await assert.rejects(read(planet, '/short', { from, to }), { code: 'INVALID_ARGUMENT' });
    }
  });

  it('packs small files that are put together into one stripe', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [
        `/small/${String(i)}`,
        seededBytes(`small ${String(i)}`, (i * 37) % 5000),
      ]),
    );
    await putAll(planet, files);
    const manifests = await planet.engine.catalog.manifests(planet.session, Object.keys(files));
    assert.equal(new Set(manifests.flatMap((one) => one?.extents.map(({ stripe }) => stripe) ?? [])).size, 1);
    const fetched = await getAll(planet, Object.keys(files));
    for (const [i, content] of Object.values(files).entries()) {
      const got = fetched[i];
      assert.ok(Buffer.isBuffer(got) && got.equals(content), String(i));
    }
    assert.ok((await read(planet, '/small/7')).equals(files['/small/7'] ?? new Uint8Array()));
  });

  it('keeps every version of a file', async () => {
    const first = seededBytes('version 1', 100_000);
    const second = seededBytes('version 2', 50_000);
    const one = await put(planet, '/versions', first);
    const two = await put(planet, '/versions', second);
    assert.ok((await read(planet, '/versions')).equals(second));
    assert.ok((await read(planet, '/versions', { version: one.version })).equals(first));
    const versions = await planet.engine.catalog.versions(planet.session, '/versions');
    assert.deepEqual(new Set(versions.map(({ version }) => version)), new Set([one.version, two.version]));
    assert.deepEqual(
      versions.filter(({ current }) => current).map(({ version }) => version),
      [two.version],
    );
  });

  /** All that is removed is acknowledged at once. */
  async function removeHere(path: string): Promise<void> {
    const { peers, ...removed } = await remove(planet, path);
    assert.deepEqual(removed, { files: 1, pendingChunks: 0, pendingHomes: 0, homes: [] });
    assert.ok(peers.every(({ waiting, removed: isGone }) => waiting === 0 && !isGone));
  }

  it('gives the space back at every peer when a file is removed, and not before its last neighbour goes', async () => {
    const before = await planet.usage();
    await putAll(planet, { '/gone/a': seededBytes('a', 300_000), '/gone/b': seededBytes('b', 300_000) });
    const full = await planet.usage();
    assert.ok(full.every((bytes, i) => bytes > (before[i] ?? 0)));
    await removeHere('/gone/a');
    assert.deepEqual(await planet.usage(), full);
    await assertStored(planet, '/gone/b', seededBytes('b', 300_000));
    await assert.rejects(read(planet, '/gone/a'), { code: 'NOT_FOUND' });
    await removeHere('/gone/b');
    assert.deepEqual(await planet.usage(), before);
  });

  it('gives back every version’s space when a file with several goes', async () => {
    const before = await planet.usage();
    await put(planet, '/replaced', seededBytes('r1', 300_000));
    await put(planet, '/replaced', seededBytes('r2', 300_000));
    await remove(planet, '/replaced');
    assert.deepEqual(await planet.usage(), before);
  });

  it('finds everything after the source peer was restarted', async () => {
    const content = seededBytes('restart', 3 * MIB);
    await put(planet, '/restart', content);
    const known = await paths(planet);
    await planet.restart(1);
    assert.deepEqual(await paths(planet), known);
    await assertStored(planet, '/restart', content);
  });

  it('never gives a peer k chunks of a stripe, and one chunk each while all are up', async () => {
    const stripes = new Map<string, number[]>();
    for (const path of await paths(planet)) {
      const placed = await planet.chunksOf(path);
      for (const { stripe } of placed) {
        stripes.set(
          stripe.id,
          placed.filter((chunk) => chunk.stripe.id === stripe.id).map(({ peer }) => peer),
        );
      }
    }
    assert.ok(stripes.size > 5);
    for (const peers of stripes.values()) assert.deepEqual(peers.toSorted(), [1, 2, 3]);
  });
});
