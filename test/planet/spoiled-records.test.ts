import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Document, DocumentDatabase } from '../../src/documents/document-database.js';
import { openDocuments } from '../../src/documents/level-documents.js';
import { StorageError } from '../../src/errors.js';
import { HOME } from '../../src/home.js';
import type { FilesSafety } from '../../src/healing/safety-sum.js';
import { assertStored, put, read } from './files.js';
import { Planet } from './planet.js';

const BYTES = randomBytes(100_000);

/** Somebody was at the databases of the source peer while it was down. */
describe('spoiled records of a network', () => {
  let planet: Planet;
  let path: string;
  let count = 0;

  before(async () => {
    planet = await Planet.open({ peers: 3 });
  });
  after(() => planet[Symbol.asyncDispose]());

  beforeEach(async () => {
    path = `/file-${String(count++)}`;
    await put(planet, path, BYTES);
  });

  /** Does something to a database of peer 1 while nobody has it open. */
  async function meddle(name: string, work: (database: DocumentDatabase) => Promise<void>): Promise<void> {
    await planet.stop(1);
    const database = await openDocuments(join(planet.home(1), HOME.documents), name);
    await work(database);
    await database.close();
    await planet.start(1);
  }

  async function stripeDocument(): Promise<string> {
    const [placed] = await planet.chunksOf(path);
    return `stripe-${placed?.stripe.id ?? ''}`;
  }

  function safety(): Promise<FilesSafety> {
    return planet.peer(1).healing.safety.of(planet.session, new Set(planet.numbers.map((n) => planet.id(n))));
  }

  async function problems(): Promise<unknown[]> {
    return (await planet.engine.catalog.problems()).map(({ document, kind }) => [document, kind]);
  }

  it('a stripe that was deleted or altered behind the owner’s back is read all the same', async () => {
    const id = await stripeDocument();
    await meddle('stripes', (database) => database.remove([id]));
    await assertStored(planet, path, BYTES);
    await meddle('stripes', (database) => database.put([{ _id: id, type: 'stripe', format: 1, owner: 7 }]));
    await assertStored(planet, path, BYTES);
    assert.deepEqual(await problems(), [[id, 'replayed']]);
  });

  it('one whose record is gone for good is counted and shown, and hides no other', async () => {
    const id = await stripeDocument();
    let kept: Document | undefined;
    await meddle('stripes', async (database) => {
      kept = await database.get(id);
      await database.put([{ _id: id, type: 'stripe', format: 1 }]);
      await database.compact();
    });
    const { unknownStripes: lost, degradedStripes: degraded, mayFail, stripes } = await safety();
    assert.deepEqual({ lost, degraded, mayFail }, { lost: 1, degraded: 1, mayFail: -1 });
    assert.ok(stripes > 1);
    await assert.rejects(read(planet, path), (error) => StorageError.is(error, 'CORRUPT'));
    assert.deepEqual(await problems(), [[id, 'lost']]);
    await meddle('stripes', async (database) => {
      if (kept !== undefined) await database.put([kept]);
    });
    await assertStored(planet, path, BYTES);
    assert.equal((await safety()).unknownStripes, 0);
  });

  it('an old copy of the database does not bring a removed peer back', async () => {
    const place = join(planet.home(1), HOME.documents, 'network');
    await planet.stop(1);
    await cp(place, `${place}.copy`, { recursive: true });
    await planet.start(1);
    await planet.engine.catalog.setPeerState(planet.id(3), 'removed');
    await planet.stop(1);
    await rm(place, { recursive: true });
    await cp(`${place}.copy`, place, { recursive: true });
    await rm(`${place}.copy`, { recursive: true });
    await planet.start(1);
    assert.equal(planet.engine.book.isMember(planet.id(3)), false);
    assert.deepEqual(await problems(), [[`peer-state-${planet.id(3)}`, 'replayed']]);
  });
});
