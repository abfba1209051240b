import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { NEVER, offerOf, OWNER, putOffer, readChunk, temporaryFolder } from '../../test/contract/offer.js';
import { segmentsOf } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { SEGMENT_BYTES } from '../limits.js';
import { ChunkIndex } from './chunk-index.js';
import { DiskStore } from './disk-store.js';

/** A store's folder as a crash may leave it, made by `crash` on the index and the files of a closed store. */
async function crashed(
  context: TestContext,
  crash: (index: ChunkIndex, directory: string) => Promise<void>,
): Promise<{ store: DiskStore; directory: string }> {
  const directory = await temporaryFolder(context);
  await (await DiskStore.open({ directory })).close();
  const index = await ChunkIndex.open(join(directory, 'index.sqlite'));
  await crash(index, directory);
  await index.close();
  const store = await DiskStore.open({ directory });
  context.after(() => store.close());
  return { store, directory };
}

async function writeChunkFile(directory: string, id: ChunkId, content: Uint8Array): Promise<void> {
  await mkdir(join(directory, 'chunks', id.slice(0, 2)), { recursive: true });
  await writeFile(join(directory, 'chunks', id.slice(0, 2), id), content);
}

async function chunkFiles(directory: string): Promise<string[]> {
  const folders = await readdir(join(directory, 'chunks'));
  return (await Promise.all(folders.map((folder) => readdir(join(directory, 'chunks', folder))))).flat();
}

describe('what a crash leaves is put right when the store opens', () => {
  const offer = offerOf(4 * SEGMENT_BYTES);
  const { id } = offer.header;

  it('renamed, but the row never came: the segments serve the next put', async (context) => {
    const { store, directory } = await crashed(context, async (index, folder) => {
      await index.beginPartial(offer.header, Date.now());
      await writeChunkFile(folder, id, offer.content);
    });
    await assert.rejects(readChunk(store, id), { code: 'NOT_FOUND' });
    assert.deepEqual(await chunkFiles(directory), []);
    const stored = await store.put(offer.header, () => assert.fail('every segment is there'), { signal: NEVER });
    assert.deepEqual(stored, { existed: false, resent: 0 });
    assert.ok((await readChunk(store, id)).equals(offer.content));
  });

  it('a partial file whose row was lost in a power cut is removed', async (context) => {
    const { directory } = await crashed(context, (_, folder) => writeFile(join(folder, 'partial', id), offer.content));
    assert.deepEqual(await readdir(join(directory, 'partial')), []);
  });

  it('a partial row whose file was never made is removed', async (context) => {
    const { store } = await crashed(context, (index) => index.beginPartial(offer.header, Date.now()));
    assert.equal((await store.usage()).partialBytes, 0);
  });

  it('a row was deleted, but not its file: the file is removed', async (context) => {
    const { directory } = await crashed(context, async (index, folder) => {
      await index.add(offer.header, 1);
      await writeChunkFile(folder, id, offer.content);
      await index.withdraw(OWNER, id, { upMs: 1 });
    });
    assert.deepEqual(await chunkFiles(directory), []);
  });

  it('a chunk that was deleted and stored again keeps its file', async (context) => {
    const { store } = await crashed(context, async (index, folder) => {
      await index.add(offer.header, 1);
      await index.withdraw(OWNER, id, { upMs: 1 });
      await index.add(offer.header, 1);
      await writeChunkFile(folder, id, offer.content);
    });
    assert.ok((await readChunk(store, id)).equals(offer.content));
  });

  it('a damaged chunk that was being stored again keeps its row, and the put goes on', async (context) => {
    const { store } = await crashed(context, async (index, folder) => {
      await index.add(offer.header, 1);
      await index.beginPartial(offer.header, Date.now());
      await writeFile(join(folder, 'partial', id), offer.content.subarray(0, 2 * SEGMENT_BYTES));
    });
    const asked: (readonly number[])[] = [];
    await store.put(
      offer.header,
      (missing) => {
        asked.push(missing);
        return segmentsOf(offer.content, SEGMENT_BYTES)(missing);
      },
      { signal: NEVER },
    );
    assert.deepEqual(asked, [[2, 3]]);
    assert.ok((await readChunk(store, id)).equals(offer.content));
  });

  it('strangers in partial/ are removed, whole chunks are left alone', async (context) => {
    const directory = await temporaryFolder(context);
    const first = await DiskStore.open({ directory });
    await putOffer(first, offer);
    await first.close();
    await mkdir(join(directory, 'partial', 'lost+found'));
    await writeFile(join(directory, 'partial', 'notes.txt'), 'x');
    await rename(join(directory, 'partial', 'notes.txt'), join(directory, 'partial', `${id}.tmp`));
    const store = await DiskStore.open({ directory });
    context.after(() => store.close());
    assert.deepEqual(await readdir(join(directory, 'partial')), []);
    assert.ok((await readChunk(store, id)).equals(offer.content));
  });
});
