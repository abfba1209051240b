import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chunkStoreContract } from '../../test/contract/chunk-store.js';
import { parseUserId } from '../chunk/ids.js';
import { DiskStore } from './disk-store.js';

chunkStoreContract('DiskStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-store-'));
  let store = await DiskStore.open({ directory });
  return {
    store,
    owners: [parseUserId(randomBytes(32)), parseUserId(randomBytes(32))],
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
