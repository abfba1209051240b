import assert from 'node:assert/strict';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it, type TestContext } from 'node:test';
import { offerOf, putOffer, temporaryFolder } from '../../test/contract/offer.js';
import { StorageError } from '../errors.js';
import { DiskStore } from './disk-store.js';
import { Database } from './sqlite.js';
import { openNative } from './sqlite-driver.js';

async function schemaOf(context: TestContext, ...migrations: readonly string[]): Promise<URL> {
  const folder = await temporaryFolder(context);
  for (const [index, sql] of migrations.entries()) {
    await writeFile(join(folder, `${String(index + 1).padStart(3, '0')}-step.sql`), sql);
  }
  return pathToFileURL(`${folder}/`);
}

const ONE = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;';
const TWO = "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody';";

describe('Database', () => {
  it('migrates step by step and remembers how far it came', async (context) => {
    const file = join(await temporaryFolder(context), 'notes.sqlite');
    const first = await Database.open({ file, schema: await schemaOf(context, ONE), name: 'Notes' });
    await first.write(() => first.prepare('INSERT INTO notes VALUES (1, ?)').run('hello'));
    await first.close();
    const second = await Database.open({ file, schema: await schemaOf(context, ONE, TWO), name: 'Notes' });
    assert.deepEqual({ ...second.prepare('SELECT * FROM notes').get() }, { id: 1, text: 'hello', author: 'nobody' });
    await second.close();
  });

  it('a migration that fails leaves the version before it', async (context) => {
    const file = join(await temporaryFolder(context), 'notes.sqlite');
    const broken = `CREATE TABLE half (id INTEGER) STRICT; ${ONE}`;
    await assert.rejects(Database.open({ file, schema: await schemaOf(context, ONE, broken), name: 'Notes' }));
    const database = await Database.open({ file, schema: await schemaOf(context, ONE), name: 'Notes' });
    assert.equal(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get(), undefined);
    await database.close();
  });

  it('a database from the future is UNSUPPORTED, says what to do and is left alone', async (context) => {
    const file = join(await temporaryFolder(context), 'notes.sqlite');
    await (await Database.open({ file, schema: await schemaOf(context, ONE, TWO), name: 'Notes' })).close();
    const opening = Database.open({ file, schema: await schemaOf(context, ONE), name: 'Notes' });
    await assert.rejects(opening, (error) => {
      assert.ok(StorageError.is(error, 'UNSUPPORTED'));
      assert.match(error.message, /Upgrade Shoal/);
      return true;
    });
    await (await Database.open({ file, schema: await schemaOf(context, ONE, TWO), name: 'Notes' })).close();
  });

  it('refuses a second opener with CONFLICT, and lets go when it closes', async (context) => {
    const file = join(await temporaryFolder(context), 'notes.sqlite');
    const schema = await schemaOf(context, ONE);
    const first = await Database.open({ file, schema, name: 'Notes' });
    first.prepare('SELECT * FROM notes').all();
    await assert.rejects(Database.open({ file, schema, name: 'Notes' }), { code: 'CONFLICT' });
    await first.close();
    await (await Database.open({ file, schema, name: 'Notes' })).close();
  });

  it('is UNAVAILABLE once closed; closing twice is fine', async (context) => {
    const file = join(await temporaryFolder(context), 'notes.sqlite');
    const database = await Database.open({ file, schema: await schemaOf(context, ONE), name: 'Notes' });
    const insert = database.prepare('INSERT INTO notes VALUES (?, ?)');
    const writing = database.write(() => insert.run(1, 'last'));
    await Promise.all([database.close(), database.close()]);
    assert.equal(await writing, 1);
    await assert.rejects(
      database.write(() => insert.run(2, 'late')),
      { code: 'UNAVAILABLE' },
    );
    assert.throws(() => insert.run(2, 'late'), { code: 'UNAVAILABLE' });
  });
});

describe('a damaged index', () => {
  /** An index of a few hundred rows, closed. */
  async function filledStore(context: TestContext): Promise<{ directory: string; file: string }> {
    const directory = await temporaryFolder(context);
    const store = await DiskStore.open({ directory });
    await Promise.all(Array.from({ length: 300 }, (_, index) => putOffer(store, offerOf(200 + index))));
    await store.close();
    return { directory, file: join(directory, 'index.sqlite') };
  }

  async function assertCorrupt(directory: string): Promise<void> {
    await assert.rejects(DiskStore.open({ directory }), (error) => {
      assert.ok(StorageError.is(error, 'CORRUPT'), String(error));
      assert.match(error.message, /chunk index.*damaged.*move its folder away/s);
      return true;
    });
  }

  it('its header overwritten: CORRUPT', async (context) => {
    const { directory, file } = await filledStore(context);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(64, 7), 0, 64, 0);
    await handle.close();
    await assertCorrupt(directory);
  });

  it('pages in its middle overwritten: CORRUPT', async (context) => {
    const { directory, file } = await filledStore(context);
    const bytes = await readFile(file);
    bytes.fill(0x55, 8 * 4096, bytes.length - 4096);
    await writeFile(file, bytes);
    await assertCorrupt(directory);
  });

  it('from a newer version of Shoal: UNSUPPORTED', async (context) => {
    const { directory, file } = await filledStore(context);
    const native = await openNative(file);
    native.exec('PRAGMA user_version = 99');
    native.close();
    await assert.rejects(DiskStore.open({ directory }), { code: 'UNSUPPORTED' });
  });
});
