import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chunkStoreContract } from '../../test/contract/chunk-store.js';
import { NEVER, offerOf, OWNER, putOffer, readChunk, temporaryFolder } from '../../test/contract/offer.js';
import { parseUserId } from '../chunk/ids.js';
import { SEGMENT_BYTES } from '../limits.js';
import { DiskStore } from './disk-store.js';
import { MemoryStore } from './memory-store.js';
import { VerifyingStore } from './verifying-store.js';

chunkStoreContract('VerifyingStore', async () => {
  const store = new VerifyingStore(await MemoryStore.open());
  return { store, owners: [OWNER, parseUserId(randomBytes(32))], close: () => store[Symbol.asyncDispose]() };
});

describe('VerifyingStore', () => {
  it('a bit that flipped on disk is CORRUPT, naming its segment; the segments beside it are fine', async (context) => {
    const directory = await temporaryFolder(context);
    const disk = await DiskStore.open({ directory });
    const store = new VerifyingStore(disk);
    context.after(() => store[Symbol.asyncDispose]());
    const offer = offerOf(5 * SEGMENT_BYTES);
    const { id } = offer.header;
    await putOffer(store, offer);
    const handle = await open(join(directory, 'chunks', id.slice(0, 2), id), 'r+');
    const place = 3 * SEGMENT_BYTES + 99;
    await handle.write(Uint8Array.of((offer.content[place] ?? 0) ^ 4), 0, 1, place);
    await handle.close();
    assert.notDeepEqual(await readChunk(disk, id), Buffer.from(offer.content), 'the disk store does not look');
    await assert.rejects(readChunk(store, id), { code: 'CORRUPT', message: /Segment 3 of chunk/ });
    const beside = await store.get(id, { signal: NEVER, segments: [2, 4] });
    for await (const { index, bytes } of beside.segments) {
      assert.ok(Buffer.from(bytes).equals(offer.content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)));
    }
  });
});
