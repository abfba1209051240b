import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chunkStoreContract } from '../../test/contract/chunk-store.js';
import { segmentsOf } from '../chunk/chunk-store.js';
import { parseUserId } from '../chunk/ids.js';
import { describeChunk } from '../chunk/segments.js';
import { SEGMENT_BYTES } from '../limits.js';
import { MemoryStore } from './memory-store.js';

const owner = parseUserId(randomBytes(32));

chunkStoreContract('MemoryStore', async () => {
  const store = await MemoryStore.open();
  return { store, owners: [owner, parseUserId(randomBytes(32))], close: () => store.close() };
});

describe('MemoryStore', () => {
  it('refuses what exceeds its capacity and keeps the rest', async () => {
    const store = await MemoryStore.open({ capacityBytes: 1000 });
    const { signal } = new AbortController();
    const put = async (bytes: number): Promise<unknown> => {
      const content = randomBytes(bytes);
      const header = { ...describeChunk(content), owner, label: randomBytes(10) };
      return await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal });
    };
    await put(600);
    await assert.rejects(put(600), { code: 'NO_SPACE' });
    await put(400);
    assert.deepEqual(await store.usage(), { chunks: 2, bytes: 1000, partialBytes: 0, freeBytes: 0, reserveBytes: 0 });
  });
});
