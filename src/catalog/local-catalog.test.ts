import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { catalogContract } from '../../test/contract/catalog.js';
import { sampleExtent, sampleVersion, signedStripe } from '../../test/contract/catalog-samples.js';
import { SampleNetwork } from '../../test/contract/sample-network.js';
import { parseStripeId } from '../chunk/ids.js';
import { StorageError, type ErrorCode } from '../errors.js';
import { FREE_UNLOCK_ATTEMPTS, MIN_UNLOCK_WAIT_MS, REMOVAL_GRACE_MS, SESSION_IDLE_MS } from '../limits.js';
import { silentLogger } from '../log.js';
import { openDocuments } from '../documents/level-documents.js';
import { LocalCatalog } from './local-catalog.js';

catalogContract('LocalCatalog', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-catalog-'));
  const membership = await (await SampleNetwork.open()).member('attic', { authority: true });
  const options = { directory, state: join(directory, 'state'), membership, logger: silentLogger() };
  let catalog = await LocalCatalog.open(options);
  return {
    catalog,
    membership,
    async reopen() {
      await catalog.close();
      catalog = await LocalCatalog.open(options);
      return catalog;
    },
    async close() {
      await catalog.close();
      await rm(directory, { recursive: true });
    },
  };
});

interface Home {
  readonly directory: string;
  readonly clock: { ms: number };
  readonly open: () => Promise<LocalCatalog>;
}

async function home(context: TestContext): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-catalog-'));
  context.after(() => rm(directory, { recursive: true }));
  const clock = { ms: 1_700_000_000_000 };
  const membership = await (await SampleNetwork.open()).member('attic', { issuedMs: clock.ms });
  const state = join(directory, 'state');
  const options = { directory, state, membership, logger: silentLogger(), now: () => clock.ms };
  return { directory, clock, open: () => LocalCatalog.open(options) };
}

function isRefusal(...codes: ErrorCode[]): (error: unknown) => boolean {
  return (error) => StorageError.is(error, ...codes);
}

test('a user moves to another peer with the exported document and the passphrase', async (context) => {
  const [one, other] = [await home(context), await home(context)];
  const source = await one.open();
  const created = await source.createUser('ann', 'her passphrase');
  const document = await source.exportUser('ann');
  await source.close();

  const target = await other.open();
  assert.deepEqual(await target.importUser(document), created);
  const session = await target.unlock('ann', 'her passphrase');
  assert.equal(session.user, created.id);
  await target.commit(session, [sampleVersion('/file')]);
  await target.close();
});

test('two sessions of one user share what is unlocked; the last one locks it', async (context) => {
  const catalog = await (await home(context)).open();
  await catalog.createUser('ann', 'p');
  const [one, two] = await Promise.all([catalog.unlock('ann', 'p'), catalog.unlock('ann', 'p')]);
  await catalog.commit(one, [sampleVersion('/file')]);
  await catalog.lock(one);
  await assert.rejects(catalog.stat(one, '/file'), isRefusal('LOCKED'));
  assert.equal((await catalog.stat(two, '/file')).type, 'file');
  await catalog.lock(two);
  await catalog.lock(two);
  assert.equal((await catalog.users())[0]?.unlocked, false);
  // Locking closes the database; unlocking at the same time waits for that.
  const three = await catalog.unlock('ann', 'p');
  const [, four] = await Promise.all([catalog.lock(three), catalog.unlock('ann', 'p')]);
  assert.equal((await catalog.stat(four, '/file')).type, 'file');
  await catalog.close();
  await catalog.close();
  await assert.rejects(catalog.stat(four, '/file'), isRefusal('LOCKED'));
});

test('a session that nobody uses ends, and wrong passphrases have to wait', async (context) => {
  const { clock, open } = await home(context);
  const catalog = await open();
  await catalog.createUser('ann', 'p');
  const session = await catalog.unlock('ann', 'p');
  clock.ms += SESSION_IDLE_MS - 1;
  await catalog.stat(session, '/');
  clock.ms += SESSION_IDLE_MS;
  await assert.rejects(catalog.stat(session, '/'), isRefusal('LOCKED'));

  // Together: that nobody gets more tries by not waiting for the answers.
  const guesses = Array.from({ length: FREE_UNLOCK_ATTEMPTS + 3 }, () => catalog.unlock('ann', 'guess'));
  const codes = (await Promise.allSettled(guesses)).map((guess) =>
    guess.status === 'rejected' && guess.reason instanceof StorageError ? guess.reason.code : 'none',
  );
  assert.deepEqual(codes, [
    ...Array.from({ length: FREE_UNLOCK_ATTEMPTS }, () => 'UNAUTHENTICATED'),
    ...Array.from({ length: 3 }, () => 'UNAVAILABLE'),
  ]);
  await assert.rejects(catalog.unlock('ann', 'p'), isRefusal('UNAVAILABLE'));
  clock.ms += MIN_UNLOCK_WAIT_MS;
  await catalog.lock(await catalog.unlock('ann', 'p'));
  await catalog.close();
});

test('documents that somebody altered in the shared databases are refused, and hide no other', async (context) => {
  const { directory, open } = await home(context);
  let catalog = await open();
  const ann = await catalog.createUser('ann', 'p');
  const bob = await catalog.createUser('bob', 'p');
  const session = await catalog.unlock('ann', 'p');
  const stripes = [await signedStripe(catalog, session), await signedStripe(catalog, session)] as const;
  await catalog.putStripes(stripes);
  const [annDocument, bobDocument] = [await catalog.exportUser('ann'), await catalog.exportUser('bob')];
  await catalog.close();

  const network = await openDocuments(directory, 'network');
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const user = { type: 'user', format: 1 };
  await network.put([
    { ...user, _id: `user-${ann.id}`, signed: base64(bobDocument) },
    { ...user, _id: `user-${'0'.repeat(64)}`, signed: base64(annDocument) },
    { ...user, _id: `user-${'1'.repeat(64)}`, signed: 7 },
    { _id: `peer-${'2'.repeat(64)}`, type: 'peer', format: 1, address: {} },
    { _id: `peer-${'3'.repeat(64)}`, type: 'peer', format: 2 },
  ]);
  await network.close();
  const database = await openDocuments(directory, 'stripes');
  const stored = await database.get(`stripe-${stripes[0].id}`);
  assert.ok(stored);
  await database.put([
    { ...stored, label: base64(stripes[1].label) },
    { ...stored, _id: `stripe-${'4'.repeat(64)}`, format: 2 },
    { ...stored, _id: `stripe-${'5'.repeat(64)}` },
  ]);
  await database.close();

  catalog = await open();
  // Ann's document comes from the memory, her stripe from the revision before.
  const ids = (await catalog.users()).map(({ id }) => id);
  assert.deepEqual(ids, [ann.id, bob.id].sort());
  await catalog.lock(await catalog.unlock('ann', 'p'));
  assert.deepEqual(await catalog.peers(), []);
  const unknown = ['4', '5'].map((digit) => parseStripeId(digit.repeat(64)));
  assert.deepEqual(await catalog.stripes([...unknown, ...stripes.map(({ id }) => id)]), [
    undefined,
    undefined,
    ...stripes,
  ]);
  const kinds = new Map((await catalog.problems()).map(({ document, kind }) => [document, kind]));
  assert.equal(kinds.get(`stripe-${'4'.repeat(64)}`), 'newer');
  assert.equal(kinds.get(`stripe-${'5'.repeat(64)}`), 'lost');
  assert.equal(kinds.get(`stripe-${stripes[0].id}`), 'replayed');
  assert.equal(kinds.get(`user-${ann.id}`), 'replayed');
  assert.equal(kinds.get(`user-${'0'.repeat(64)}`), 'refused');
  assert.equal(kinds.get(`peer-${'3'.repeat(64)}`), 'newer');
  await catalog.close();
});

test('what is removed for ever stays known until the record of its stripe has come, for as long as others are waited for', async (context) => {
  const { directory, clock, open } = await home(context);
  let catalog = await open();
  await catalog.createUser('ann', 'p');
  let session = await catalog.unlock('ann', 'p');
  const stripe = await signedStripe(catalog, session);
  await catalog.putStripes([stripe]);
  await catalog.commit(session, [sampleVersion('/file', [sampleExtent(stripe.id)])]);
  await catalog.close();
  await rm(join(directory, 'stripes'), { recursive: true });

  catalog = await open();
  session = await catalog.unlock('ann', 'p');
  await catalog.remove(session, '/file', { forever: true });
  const due = async (): Promise<readonly (readonly string[])[]> =>
    (await catalog.dueRemovals(session)).due.map(({ stripes }) => stripes.map((one) => one.stripe));
  assert.deepEqual(await due(), []);
  await catalog.putStripes([stripe]);
  assert.deepEqual(await due(), [[stripe.id]]);
  await catalog.close();
  await rm(join(directory, 'stripes'), { recursive: true });

  catalog = await open();
  clock.ms += REMOVAL_GRACE_MS;
  session = await catalog.unlock('ann', 'p');
  assert.deepEqual(await due(), [[]]);
  await catalog.close();
});
