import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { NEVER, offerOf, OWNER, putOffer, temporaryFolder } from '../../test/contract/offer.js';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { ChunkReader } from './chunk-reader.js';
import { DiskStore } from './disk-store.js';

const SIZES = [1000, 300_000, 4 * 1024 * 1024];

async function read(reader: ChunkReader, id: ChunkId): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const { bytes } of (await reader.get(id, { signal: NEVER })).segments) parts.push(Buffer.from(bytes));
  return Buffer.concat(parts);
}

async function openReader(context: TestContext): Promise<{ directory: string; reader: ChunkReader }> {
  const directory = await temporaryFolder(context);
  const reader = new ChunkReader(directory);
  context.after(() => reader.close());
  return { directory, reader };
}

describe('ChunkReader', () => {
  it('says who makes the store while there is none, and reads what is put later', async (context) => {
    const { directory, reader } = await openReader(context);
    const offers = SIZES.map((bytes) => offerOf(bytes));
    const [first] = offers;
    assert.ok(first !== undefined);
    await assert.rejects(read(reader, first.header.id), { code: 'UNAVAILABLE', message: /shoal serve file-receiver/ });
    await using store = await DiskStore.open({ directory, shared: true });
    for (const offer of offers) {
      await putOffer(store, offer);
      assert.ok((await read(reader, offer.header.id)).equals(offer.content));
    }
    await store.delete(OWNER, [first.header.id], { signal: NEVER });
    await assert.rejects(read(reader, first.header.id), { code: 'NOT_FOUND' });
  });

  it('reads on while the store is closed, and opened again', async (context) => {
    const { directory, reader } = await openReader(context);
    const [one, two] = [offerOf(300_000), offerOf(2000)];
    const store = await DiskStore.open({ directory, shared: true });
    await putOffer(store, one);
    assert.ok((await read(reader, one.header.id)).equals(one.content));
    await store.close();
    assert.ok((await read(reader, one.header.id)).equals(one.content));
    await using again = await DiskStore.open({ directory, shared: true });
    await putOffer(again, two);
    assert.ok((await read(reader, two.header.id)).equals(two.content));
  });

  it('reads a chunk to its end that is deleted meanwhile, or not at all', async (context) => {
    const { directory, reader } = await openReader(context);
    await using store = await DiskStore.open({ directory, shared: true });
    for (const begun of [true, false]) {
      for (const offer of SIZES.map((bytes) => offerOf(bytes))) {
        await putOffer(store, offer);
        const { segments } = await reader.get(offer.header.id, { signal: NEVER });
        const rest = segments[Symbol.asyncIterator]();
        const found: Uint8Array[] = [];
        const take = async (): Promise<boolean> => {
          const next = await rest.next();
          if (next.done !== true) found.push(Buffer.from(next.value.bytes));
          return next.done !== true;
        };
        if (begun) await take();
        await store.delete(OWNER, [offer.header.id], { signal: NEVER });
        try {
          while (await take());
          assert.ok(Buffer.concat(found).equals(offer.content), `${String(offer.content.length)} bytes`);
        } catch (error) {
          assert.ok(!begun && StorageError.is(error, 'NOT_FOUND'), String(error));
        }
        await assert.rejects(read(reader, offer.header.id), { code: 'NOT_FOUND' });
      }
    }
  });

  it('is kept out of a store that is not shared', async (context) => {
    const { directory, reader } = await openReader(context);
    const offer = offerOf(1000);
    await using store = await DiskStore.open({ directory });
    await putOffer(store, offer);
    await assert.rejects(read(reader, offer.header.id), { code: 'CONFLICT' });
  });
});
