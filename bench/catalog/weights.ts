import { STRIPES_DATABASE, userDatabase } from '../../src/chunk/database-names.js';
import type { DocumentHost } from '../../src/documents/document-database.js';
import type { CatalogWeights, Weight } from './result.js';
import { largeFile } from './samples.js';
import { COMMIT_FILES, writeBatched, writeSingly, type Writing } from './writes.js';

const LARGE_FILE_BYTES = 2 ** 30;

/** What files leave in a catalog, measured while it is nearly empty. */
export async function weighCatalog(writing: Writing, host: DocumentHost): Promise<CatalogWeights> {
  const { catalog, session, samples } = writing;
  const userDocuments = userDatabase(session.user, session.generation);
  const user = (work: () => Promise<unknown>): Promise<Weight> => added(host, userDocuments, work);
  await catalog.makeFolder(session, '/weights/batched');
  await catalog.makeFolder(session, '/weights/single');
  const single = { folder: '/weights/single', count: 1, atOnce: 1 };
  const smallFile = await user(() => writeSingly(writing, single));
  const packed = await user(() => writeBatched(writing, COMMIT_FILES, () => '/weights/batched'));
  const [one] = await samples.stripes(1);
  const count = Math.ceil(LARGE_FILE_BYTES / (one?.bytes ?? LARGE_FILE_BYTES));
  const stripes: Awaited<ReturnType<typeof samples.stripes>> = [];
  const stripeWeight = await added(host, STRIPES_DATABASE, async () => {
    stripes.push(...(await samples.stripes(count)));
  });
  const large = await user(() => catalog.commit(session, [largeFile('/weights/large.bin', stripes)]));
  return {
    smallFile,
    packedFile: { documents: packed.documents / COMMIT_FILES, bytes: packed.bytes / COMMIT_FILES },
    largeFile: large,
    largeFileStripes: { ...stripeWeight, stripes: count },
  };
}

async function added(host: DocumentHost, database: string, work: () => Promise<unknown>): Promise<Weight> {
  const before = await weigh(host, database);
  await work();
  const after = await weigh(host, database);
  return { documents: after.documents - before.documents, bytes: after.bytes - before.bytes };
}

async function weigh(host: DocumentHost, name: string): Promise<Weight> {
  await using database = await host.open(name);
  let documents = 0;
  let bytes = 0;
  for await (const page of database.list('')) {
    documents += page.length;
    for (const { document } of page) bytes += Buffer.byteLength(JSON.stringify(document ?? null));
  }
  return { documents, bytes };
}
