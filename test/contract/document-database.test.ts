import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Leaf } from '../../src/documents/document-database.js';
import { HttpHost } from '../../src/documents/http-host.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { PouchHosting } from '../../src/documents/pouch-hosting.js';
import { writeRevisions } from '../../src/documents/write-revisions.js';
import { silentLogger } from '../../src/log.js';
import { documentDatabaseContract } from './document-database.js';
import { MemoryDocuments } from './memory-documents.js';

async function replicate(host: LevelHost, { rev, deleted, document }: Leaf): Promise<void> {
  const { database, release } = await host.acquire('subject');
  await writeRevisions(database, [{ ...document, _rev: rev, _deleted: deleted }], { newEdits: false });
  release();
}

documentDatabaseContract('memory', async () => {
  const database = new MemoryDocuments();
  return { database, addLeaf: (leaf) => database.addLeaf(leaf), close: () => database.close() };
});

documentDatabaseContract('LevelDB', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-level-contract-'));
  const host = await LevelHost.open({ directory, logger: silentLogger() });
  return {
    database: await host.open('subject'),
    addLeaf: (leaf) => replicate(host, leaf),
    async close() {
      await host.close();
      await rm(directory, { recursive: true });
    },
  };
});

documentDatabaseContract('PouchDB hosting', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-http-contract-'));
  const address = { socket: join(directory, 'pouchdb.sock'), secretFile: join(directory, 'secret') };
  const hosting = await PouchHosting.open({
    ...address,
    directory: join(directory, 'databases'),
    logger: silentLogger(),
  });
  const host = new HttpHost(address);
  return {
    database: await host.open('subject'),
    addLeaf: (leaf) => replicate(hosting.host, leaf),
    async close() {
      await host.close();
      await hosting.close();
      await rm(directory, { recursive: true });
    },
  };
});
