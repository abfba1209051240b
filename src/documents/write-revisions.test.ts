import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StorageError } from '../errors.js';
import { LevelDatabase } from './level-database.js';
import type { BulkResult, Pouch } from './pouch.js';
import { writeRevisions } from './write-revisions.js';

const REVISION = { _id: 'a', _rev: `1-${'a'.repeat(32)}` };

describe('writing revisions', () => {
  let folder: string, database: LevelDatabase;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-revisions-'));
    database = await LevelDatabase.open(join(folder, 'network'));
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  /** PouchDB, but for what it says of what it wrote. */
  function saying(result: BulkResult): void {
    const write = database.write.bind(database);
    database.write = (work) =>
      write((pouch) => work(new Proxy<Pouch>(pouch, { get: (real, name) => answer(real, name as keyof Pouch) })));
    const answer = (real: Pouch, name: keyof Pouch): unknown =>
      name === 'bulkDocs' ? async () => [result] : real[name].bind(real);
  }

  for (const newEdits of [true, false]) {
    it(`tells a document that is refused from a disk that fails, ${newEdits ? 'new' : 'replicated'}`, async () => {
      const documents = [newEdits ? { _id: 'a' } : REVISION];
      const own = database.write.bind(database);
      saying({ error: true, status: 400, id: 'a', message: 'odd' });
      const [refused] = await writeRevisions(database, documents, { newEdits });
      assert.deepEqual({ ...refused, rev: undefined }, { id: 'a', rev: undefined, error: 'forbidden', reason: 'odd' });
      database.write = own;
      // Without an id, too: what it was about is not known then.
      saying({ error: true, status: 500, message: 'IO error: No space left on device' });
      await assert.rejects(writeRevisions(database, documents, { newEdits }), (error) =>
        StorageError.is(error, 'NO_SPACE'),
      );
      database.write = own;
      const [written] = await writeRevisions(database, documents, { newEdits });
      assert.ok(written && 'ok' in written);
    });
  }
});
