import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChunkStore } from '../../src/chunk/chunk-store.js';
import { SignedPermissions, type Permissions } from '../../src/wire/permissions.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { chunkStoreContract, type ContractSubject } from '../contract/chunk-store.js';
import { reach, serve, TestNetwork, TestUser } from './network.js';

/** The suite's chunks are too small for the label of a real stripe, so puts are let through; orders are checked. */
function withoutLabels(checked: Permissions): Permissions {
  return {
    checkPut: () => undefined,
    checkPull: () => true,
    checkDelete: (order) => checked.checkDelete(order),
    checkList: (order, caller) => checked.checkList(order, caller),
  };
}

const network = await TestNetwork.open();
const source = await network.peer();
const target = await network.peer();
const users = [new TestUser(), new TestUser()] as const;

async function remote(open: () => Promise<ChunkStore>, remove: () => Promise<void>): Promise<ContractSubject> {
  const permissions = withoutLabels(new SignedPermissions(target.id, Date.now));
  const start = async (): Promise<{ store: RemoteStore; stop: () => Promise<void> }> => {
    const local = await open();
    const server = await serve(target, { receiver: { store: local, permissions }, sender: { store: local } });
    const store = RemoteStore.open(reach(source, target, server.port));
    return {
      store,
      stop: async () => {
        await store.close();
        await server.close();
        await local[Symbol.asyncDispose]();
      },
    };
  };
  let running = await start();
  return {
    store: running.store,
    owners: [users[0].id, users[1].id],
    authorize: () => Promise.resolve({ label: randomBytes(300), grant: randomBytes(100) }),
    orderDelete: (owner, ids) => {
      const user = users.find(({ id }) => id === owner) ?? users[0];
      return Promise.resolve(user.orderDelete(target.id, ids));
    },
    orderList: (owner) => {
      const user = users.find(({ id }) => id === owner) ?? users[0];
      return Promise.resolve(user.orderList(source.id, target.id));
    },
    reopen: async () => {
      await running.stop();
      running = await start();
      return running.store;
    },
    close: async () => {
      await running.stop();
      await remove();
    },
  };
}

chunkStoreContract('RemoteStore over MemoryStore', async () => {
  const kept = await MemoryStore.open();
  // A memory does not outlive its process; here only connection and server are opened anew.
  const lasting = new Proxy(kept, {
    get: (store, property) => {
      if (property === Symbol.asyncDispose) return () => Promise.resolve();
      const value: unknown = Reflect.get(store, property, store);
      return typeof value === 'function' ? (value.bind(store) as unknown) : value;
    },
  });
  return await remote(
    () => Promise.resolve(lasting),
    () => kept.close(),
  );
});

chunkStoreContract('RemoteStore over DiskStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-wire-'));
  return await remote(
    () => DiskStore.open({ directory, reserveBytes: 0 }),
    () => rm(directory, { recursive: true, force: true }),
  );
});
