import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { chunkStoreContract } from '../../test/contract/chunk-store.js';
import { NEVER, offerOf, OWNER, putOffer, readChunk, temporaryFolder } from '../../test/contract/offer.js';
import { segmentsOf } from '../chunk/chunk-store.js';
import { parseUserId, type ChunkId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { PARTIAL_EXPIRY_MS, PARTIAL_SWEEP_MS, SEGMENT_BYTES } from '../limits.js';
import { DiskStore, type DiskStoreOptions } from './disk-store.js';

chunkStoreContract('DiskStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-store-'));
  let store = await DiskStore.open({ directory });
  return {
    store,
    owners: [OWNER, parseUserId(randomBytes(32))],
    reopen: async () => {
      await store.close();
      store = await DiskStore.open({ directory });
      return store;
    },
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

async function openStore(
  context: TestContext,
  options: Partial<DiskStoreOptions> = {},
): Promise<{ store: DiskStore; directory: string }> {
  const directory = options.directory ?? (await temporaryFolder(context));
  const store = await DiskStore.open({ ...options, directory });
  context.after(() => store.close());
  return { store, directory };
}

function fileOf(directory: string, id: ChunkId): string {
  return join(directory, 'chunks', id.slice(0, 2), id);
}

/** A put that breaks after `whole` segments. */
async function breakPut(store: DiskStore, offer: ReturnType<typeof offerOf>, whole: number): Promise<void> {
  const put = store.put(
    offer.header,
    async function* (missing) {
      yield* segmentsOf(offer.content, SEGMENT_BYTES)(missing.slice(0, whole));
      throw new StorageError('UNAVAILABLE', 'The line broke.');
    },
    { signal: NEVER },
  );
  await assert.rejects(put, { code: 'UNAVAILABLE' });
}

describe('DiskStore: damage', () => {
  const damages: Readonly<Record<string, (path: string) => Promise<void>>> = {
    missing: (path) => unlink(path),
    'cut off': (path) => truncate(path, SEGMENT_BYTES + 7),
    empty: (path) => truncate(path, 0),
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`a chunk file that is ${what} is CORRUPT, others are unharmed, and a put heals it`, async (context) => {
      const { store, directory } = await openStore(context);
      const [bad, good] = [offerOf(5 * SEGMENT_BYTES), offerOf(5 * SEGMENT_BYTES)];
      await putOffer(store, bad);
      await putOffer(store, good);
      await damage(fileOf(directory, bad.header.id));
      await assert.rejects(readChunk(store, bad.header.id), (error) => {
        assert.ok(StorageError.is(error, 'CORRUPT'));
        assert.match(error.message, new RegExp(bad.header.id.slice(0, 12)));
        return true;
      });
      assert.ok((await readChunk(store, good.header.id)).equals(good.content));
      assert.equal((await putOffer(store, bad)).existed, false);
      assert.ok((await readChunk(store, bad.header.id)).equals(bad.content));
      assert.equal((await store.usage()).chunks, 2);
    });
  }

  it('a chunk that was deleted while it was about to be read is NOT_FOUND', async (context) => {
    const { store } = await openStore(context);
    const offer = offerOf(3 * SEGMENT_BYTES);
    await putOffer(store, offer);
    const { segments } = await store.get(offer.header.id, { signal: NEVER });
    await store.delete(OWNER, [offer.header.id], { signal: NEVER });
    await assert.rejects(async () => {
      for await (const segment of segments) assert.fail(`segment ${String(segment.index)}`);
    }, StorageError);
    await assert.rejects(readChunk(store, offer.header.id), { code: 'NOT_FOUND' });
  });

  it('what a broken put left in partial/ is re-hashed: a rotten segment is asked for again', async (context) => {
    const { store, directory } = await openStore(context);
    const offer = offerOf(8 * SEGMENT_BYTES);
    await breakPut(store, offer, 6);
    await writeFile(join(directory, 'partial', offer.header.id), randomBytes(10), { flag: 'r+' });
    const asked: (readonly number[])[] = [];
    await store.put(
      offer.header,
      (missing) => {
        asked.push(missing);
        return segmentsOf(offer.content, SEGMENT_BYTES)(missing);
      },
      { signal: NEVER },
    );
    assert.deepEqual(asked, [[0, 6, 7]]);
    assert.ok((await readChunk(store, offer.header.id)).equals(offer.content));
  });
});

describe('DiskStore: space', () => {
  it('refuses before the first byte what would touch the reserve, and says what is free', async (context) => {
    const { store } = await openStore(context, { reserveBytes: 1_000_000, freeBytes: async () => 1_300_000 });
    const large = offerOf(400_000);
    const put = store.put(large.header, () => assert.fail('no byte is asked for'), { signal: NEVER });
    await assert.rejects(put, { code: 'NO_SPACE' });
    assert.deepEqual(await store.usage(), {
      chunks: 0,
      bytes: 0,
      partialBytes: 0,
      freeBytes: 1_300_000,
      reserveBytes: 1_000_000,
    });
    await putOffer(store, offerOf(300_000));
  });

  it('counts what puts under way were promised', async (context) => {
    const { store } = await openStore(context, { reserveBytes: 0, freeBytes: async () => 700_000 });
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow = [offerOf(300_000), offerOf(300_000)].map(async ({ header, content }) => {
      let asked = (): void => undefined;
      const admitted = new Promise<void>((resolve) => (asked = resolve));
      const put = store.put(
        header,
        async function* (missing) {
          asked();
          await released;
          yield* segmentsOf(content, SEGMENT_BYTES)(missing);
        },
        { signal: NEVER },
      );
      await admitted;
      return { put };
    });
    const admitted = await Promise.all(slow);
    await assert.rejects(putOffer(store, offerOf(300_000)), { code: 'NO_SPACE' });
    await putOffer(store, offerOf(100_000));
    release();
    for (const { put } of admitted) await put;
    await putOffer(store, offerOf(300_000));
  });

  it('holds no more than its capacity, partial chunks included, and gives it back', async (context) => {
    const { store } = await openStore(context, { reserveBytes: 0, capacityBytes: 1_000_000 });
    const [stored, partial] = [offerOf(400_000), offerOf(400_000)];
    await putOffer(store, stored);
    await breakPut(store, partial, 2);
    assert.deepEqual(await store.usage(), {
      chunks: 1,
      bytes: 400_000,
      partialBytes: 400_000,
      freeBytes: 200_000,
      reserveBytes: 0,
    });
    await assert.rejects(putOffer(store, offerOf(200_001)), { code: 'NO_SPACE' });
    await putOffer(store, partial);
    await store.delete(OWNER, [stored.header.id, partial.header.id], { signal: NEVER });
    assert.equal((await store.usage()).freeBytes, 1_000_000);
  });

  it('deleting a chunk that is only partly there frees the part', async (context) => {
    const { store, directory } = await openStore(context);
    const offer = offerOf(6 * SEGMENT_BYTES);
    await breakPut(store, offer, 3);
    await store.delete(parseUserId(randomBytes(32)), [offer.header.id], { signal: NEVER });
    assert.deepEqual(await readdir(join(directory, 'partial')), [offer.header.id]);
    await store.delete(OWNER, [offer.header.id], { signal: NEVER });
    assert.deepEqual(await readdir(join(directory, 'partial')), []);
    assert.equal((await store.usage()).partialBytes, 0);
  });

  it('partial chunks that nobody resumed expire, while it runs and when it opens', async (context) => {
    let nowMs = 1_000_000;
    const directory = await temporaryFolder(context);
    const clock = (): number => nowMs;
    const { store } = await openStore(context, { directory, clock });
    const [old, young] = [offerOf(4 * SEGMENT_BYTES), offerOf(4 * SEGMENT_BYTES)];
    await breakPut(store, old, 2);
    nowMs += PARTIAL_EXPIRY_MS - PARTIAL_SWEEP_MS;
    await breakPut(store, young, 2);
    nowMs += PARTIAL_SWEEP_MS;
    await putOffer(store, offerOf(10));
    await store.close();
    assert.deepEqual(await readdir(join(directory, 'partial')), [young.header.id]);
    nowMs += PARTIAL_EXPIRY_MS;
    const { store: again } = await openStore(context, { directory, clock });
    assert.deepEqual(await readdir(join(directory, 'partial')), []);
    assert.equal((await again.usage()).partialBytes, 0);
  });
});

describe('DiskStore: life', () => {
  it('a second store over the same folder is refused', async (context) => {
    const { directory } = await openStore(context);
    await assert.rejects(DiskStore.open({ directory }), { code: 'CONFLICT' });
  });

  it('close ends what is under way and keeps it for later', async (context) => {
    const { store, directory } = await openStore(context);
    const offer = offerOf(6 * SEGMENT_BYTES);
    let stuck = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (stuck = resolve));
    const put = store.put(
      offer.header,
      async function* (missing) {
        yield* segmentsOf(offer.content, SEGMENT_BYTES)(missing.slice(0, 3));
        stuck();
        await new Promise(() => undefined);
      },
      { signal: NEVER },
    );
    const refused = assert.rejects(put, { code: 'UNAVAILABLE' });
    await waiting;
    await store.close();
    await refused;
    await store.close();
    await assert.rejects(putOffer(store, offer), { code: 'UNAVAILABLE' });
    await assert.rejects(store.get(offer.header.id, { signal: NEVER }), { code: 'UNAVAILABLE' });
    const { store: again } = await openStore(context, { directory });
    await again.put(
      offer.header,
      (missing) => {
        assert.deepEqual(missing, [3, 4, 5]);
        return segmentsOf(offer.content, SEGMENT_BYTES)(missing);
      },
      { signal: NEVER },
    );
  });

  it('what healing puts in is no use that healing would have to give way to', async (context) => {
    const { store } = await openStore(context);
    const [healed, stored] = [offerOf(3_000), offerOf(3_000)];
    const source = segmentsOf(healed.content, SEGMENT_BYTES);
    await store.put(healed.header, source, { signal: NEVER, background: true });
    assert.equal(store.quietMs(), Infinity, 'nobody has used it yet');
    await putOffer(store, stored);
    assert.ok(store.quietMs() < Infinity);
  });

  it('a folder that cannot be made is reported with its path', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, 'file'), '');
    const directory = join(folder, 'file', 'store');
    await assert.rejects(DiskStore.open({ directory }), (error) => {
      assert.ok(StorageError.is(error));
      assert.match(error.message, /file\/store/);
      return true;
    });
  });
});
