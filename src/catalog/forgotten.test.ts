/** What is left on the disk of the catalog's entry of a file that was removed for ever. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { sampleExtent, sampleVersion, signedStripe } from '../../test/contract/catalog-samples.js';
import { SampleNetwork } from '../../test/contract/sample-network.js';
import { userDatabase } from '../chunk/database-names.js';
import type { UserId } from '../chunk/ids.js';
import { openDocuments } from '../documents/level-documents.js';
import { silentLogger } from '../log.js';
import { LocalCatalog } from './local-catalog.js';

async function homeOf(
  context: TestContext,
): Promise<{ readonly directory: string; readonly open: () => Promise<LocalCatalog> }> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-forgotten-'));
  context.after(() => rm(directory, { recursive: true }));
  const membership = await (await SampleNetwork.open()).member('attic', {});
  const options = { directory, state: join(directory, 'state'), membership, logger: silentLogger() };
  return { directory, open: () => LocalCatalog.open(options) };
}

/** A piece of the sealed text of each document, as it lies in the files. */
async function sealedPieces(directory: string, user: UserId): Promise<string[]> {
  const database = await openDocuments(directory, userDatabase(user, 1));
  try {
    const pieces: string[] = [];
    for await (const page of database.list('change-')) {
      for (const { document } of page) pieces.push(String(document?.['sealed']).slice(20, 60));
    }
    return pieces;
  } finally {
    await database.close();
  }
}

/** How many of the pieces are in any file below a folder. */
async function countFound(directory: string, pieces: readonly string[]): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
  return pieces.filter((piece) => contents.some((bytes) => bytes.includes(piece))).length;
}

test('the sealed entry of a removed file stays until the keys are rotated, and is in no file afterwards', async (context) => {
  const { directory, open } = await homeOf(context);
  let catalog = await open();
  const { id: user } = await catalog.createUser('ann', 'p');
  let session = await catalog.unlock('ann', 'p');
  const stripe = await signedStripe(catalog, session);
  await catalog.putStripes([stripe]);
  await catalog.commit(session, [sampleVersion('/secret', [sampleExtent(stripe.id)])]);
  await catalog.close();
  const pieces = await sealedPieces(directory, user);
  assert.ok(pieces.length > 0);
  assert.equal(await countFound(directory, pieces), pieces.length, 'the search finds what is there');

  catalog = await open();
  session = await catalog.unlock('ann', 'p');
  await catalog.remove(session, '/secret', { forever: true });
  const { due } = await catalog.dueRemovals(session);
  const freed = await catalog.carryOutRemovals(
    session,
    due.map(({ node }) => node),
  );
  assert.deepEqual(freed, [stripe.id]);
  await catalog.forgetStripes(session, freed);
  await catalog.close();
  assert.equal(await countFound(directory, pieces), pieces.length, 'a removal by itself erases nothing');

  catalog = await open();
  session = await catalog.unlock('ann', 'p');
  await catalog.makeFolder(session, '/kept');
  for await (const rotation of catalog.rotateKeys(session, 'p')) assert.equal(rotation.generation, 2);
  await dropped(directory, userDatabase(user, 1));
  assert.equal((await catalog.stat(session, '/kept')).type, 'folder');
  await catalog.close();
  assert.equal(await countFound(directory, pieces), 0);
});

/** The database of the former generation goes by itself, once nothing is in it that the new one lacks. */
async function dropped(directory: string, name: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (!(await readdir(directory)).some((entry) => entry.startsWith(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`${name} is still there`);
}
