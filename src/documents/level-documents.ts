import { createRequire } from 'node:module';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { DOCUMENT_PAGE } from '../limits.js';
import { checkedLevelDown, type Damage } from './checked-leveldb.js';
import type { Document, DocumentDatabase, Listed } from './document-database.js';
import { DurableFlush } from './durable.js';

// --- what of PouchDB is used ------------------------------------------------------------------------------------------

interface Row {
  readonly id: string;
}
type BulkResult = { readonly ok: true } | { readonly error: true; readonly status?: number; readonly id?: string };
interface StoredDocument extends Document {
  readonly _rev: string;
}

interface Pouch {
  info(): Promise<unknown>;
  get(id: string): Promise<StoredDocument>;
  allDocs(options: {
    startkey: string;
    endkey: string;
    limit: number;
    skip: number;
  }): Promise<{ rows: readonly Row[] }>;
  bulkDocs(documents: readonly Document[]): Promise<readonly BulkResult[]>;
  close(): Promise<void>;
}

type PouchConstructor = (new (name: string, options: { adapter: 'leveldb'; db: unknown }) => Pouch) & {
  plugin(adapter: unknown): void;
};

// Not `import`: the published types bring the DOM's and another Buffer into every file of the program.
const require = createRequire(import.meta.url);
const PouchDB = require('pouchdb-core') as PouchConstructor;
PouchDB.plugin(require('pouchdb-adapter-leveldb'));

// --- errors -----------------------------------------------------------------------------------------------------------

function statusOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
    ? error.status
    : undefined;
}

/** LevelDB's errors have no code, only a text that begins with the kind of status (leveldb/util/status.cc). */
function wrapLevelDb(error: unknown, doing: string, directory: string): StorageError {
  if (error instanceof StorageError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/lock .*LOCK/i.test(text)) {
    return new StorageError('CONFLICT', `Another process has the catalog in ${directory} open. Stop it first.`, {
      cause: error,
    });
  }
  if (
    /corrupt|wrong doc returned|does not exist \(create_if_missing|JSON|(MANIFEST|CURRENT|\.ldb|\.sst).*No such file/i.test(
      text,
    )
  ) {
    return damaged(directory, error);
  }
  if (/no space left|file too large|quota exceeded/i.test(text)) {
    return new StorageError('NO_SPACE', `The disk of the catalog in ${directory} is full. Free some space.`, {
      cause: error,
    });
  }
  if (/not open|is closed/i.test(text)) {
    return new StorageError('UNAVAILABLE', `${doing} failed because the database was just closed. Try again.`, {
      cause: error,
    });
  }
  return wrapError(error, doing);
}

// --- the database -----------------------------------------------------------------------------------------------------

/** PouchDB would share one database among all that open it, where each of us thinks it is the only writer. */
const openDirectories = new Set<string>();

function damaged(directory: string, cause?: unknown): StorageError {
  return new StorageError(
    'CORRUPT',
    `The catalog database in ${directory} is damaged. Move that folder away and restart this peer: it is filled again from a backup host, or by \`shoal recover\`.`,
    { cause },
  );
}

async function openPouch(directory: string, damage: Damage): Promise<Pouch> {
  const before = damage.count;
  const pouch = new PouchDB(directory, { adapter: 'leveldb', db: checkedLevelDown(damage) });
  await pouch.info();
  if (damage.count === before) return pouch;
  // A lost update counter would begin again at 0 and overwrite what is there.
  await pouch.close();
  throw damaged(directory);
}

class LevelDocuments implements DocumentDatabase {
  #pouch: Promise<Pouch>;
  readonly #damage: Damage;
  readonly #directory: string;
  readonly #durable: DurableFlush;
  #closing: Promise<void> | undefined;

  constructor(pouch: Pouch, damage: Damage, directory: string) {
    this.#pouch = Promise.resolve(pouch);
    this.#damage = damage;
    this.#directory = directory;
    this.#durable = DurableFlush.ofLevelDb(directory);
  }

  async get(id: string): Promise<Document | undefined> {
    return this.#stored(id);
  }

  async *list(prefix: string): AsyncIterable<readonly Listed[]> {
    // U+FFFF sorts behind every id, all of which are ASCII.
    const range = { endkey: `${prefix}\uffff`, limit: DOCUMENT_PAGE };
    let startkey = prefix;
    for (let skip = 0; ; skip = 1) {
      const damageBefore = this.#damage.count;
      const { rows } = await this.#try('Listing the catalog', (pouch) => pouch.allDocs({ ...range, startkey, skip }));
      if (this.#damage.count > damageBefore) yield [{ id: `${prefix}?`, document: undefined }];
      // Each by itself: with `include_docs` one unreadable document would crash the process inside the adapter.
      yield await Promise.all(rows.map(({ id }) => this.#listed(id)));
      const last = rows.at(-1);
      if (last === undefined || rows.length < DOCUMENT_PAGE) return;
      startkey = last.id;
    }
  }

  async put(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    await this.#write(async (pouch) => {
      const results = await pouch.bulkDocs(documents);
      const taken = documents.filter((_, index) => this.#isTaken(results[index]));
      if (taken.length > 0) await this.#replace(pouch, taken);
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    const found = await Promise.all(ids.map((id) => this.#stored(id)));
    const tombstones = found
      .filter((document) => document !== undefined)
      .map(({ _id, _rev }) => ({ _id, _rev, _deleted: true }));
    if (tombstones.length === 0) return;
    await this.#write(async (pouch) => {
      const results = await pouch.bulkDocs(tombstones);
      for (const result of results) this.#isTaken(result);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#try('Closing the catalog', (pouch) => pouch.close());
    } finally {
      openDirectories.delete(this.#directory);
    }
  }

  /**
   * Writes, and waits for the disk. A failed write may have left half a record at the end of LevelDB's log, behind which
   * it goes on writing, and with which it drops all that follows when it reads the log again. So nothing more is written
   * there: the database is opened anew, which reads the log up to the tear and begins another.
   */
  async #write(work: (pouch: Pouch) => Promise<void>): Promise<void> {
    const used = this.#pouch;
    try {
      await this.#try('Writing the catalog', async (pouch) => {
        await work(pouch);
        await this.#durable.flush();
      });
    } catch (error) {
      if (!StorageError.is(error, 'CONFLICT') && this.#pouch === used) {
        this.#pouch = this.#openAnew(used);
        // Who uses it next is told, if anybody does.
        this.#pouch.catch(() => undefined);
      }
      throw error;
    }
  }

  async #openAnew(failed: Promise<Pouch>): Promise<Pouch> {
    try {
      await (await failed).close();
    } catch {
      // It failed already; whether it can be used again shows when it is opened.
    }
    return openPouch(this.#directory, this.#damage);
  }

  async #stored(id: string): Promise<StoredDocument | undefined> {
    const damageBefore = this.#damage.count;
    return this.#try('Reading the catalog', async (pouch) => {
      try {
        return await pouch.get(id);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        if (this.#damage.count > damageBefore) throw damaged(this.#directory, error);
        return undefined;
      }
    });
  }

  async #listed(id: string): Promise<Listed> {
    try {
      return { id, document: await this.#stored(id) };
    } catch (error) {
      if (StorageError.is(error, 'CORRUPT')) return { id, document: undefined };
      throw error;
    }
  }

  /** @returns true when the id has a document already; @throws for any other failure */
  #isTaken(result: BulkResult | undefined): boolean {
    if (result === undefined || 'ok' in result) return false;
    if (result.status === 409) return true;
    throw wrapLevelDb(result, 'Writing the catalog', this.#directory);
  }

  async #replace(pouch: Pouch, documents: readonly Document[]): Promise<void> {
    const current = await Promise.all(documents.map(({ _id }) => this.#stored(_id)));
    const results = await pouch.bulkDocs(documents.map((document, at) => ({ ...document, _rev: current[at]?._rev })));
    if (results.some((result) => this.#isTaken(result))) {
      throw new StorageError('CONFLICT', 'Somebody else changed the same part of the catalog. Try again.');
    }
  }

  async #try<T>(doing: string, work: (pouch: Pouch) => Promise<T>): Promise<T> {
    const used = this.#pouch;
    try {
      return await work(await used);
    } catch (error) {
      throw wrapLevelDb(error, doing, this.#directory);
    }
  }
}

/**
 * Opens, or makes, the database `name` in a folder of its own under `directory`.
 *
 * @throws StorageError CONFLICT when another process, or this one, has it open; CORRUPT when it is damaged
 */
export async function openDocuments(directory: string, name: string): Promise<DocumentDatabase> {
  const place = join(resolve(directory), name);
  if (openDirectories.has(place)) {
    throw new StorageError('CONFLICT', `This process has the catalog in ${place} open already.`);
  }
  openDirectories.add(place);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const damage = { count: 0 };
    return new LevelDocuments(await openPouch(place, damage), damage, place);
  } catch (error) {
    openDirectories.delete(place);
    throw wrapLevelDb(error, 'Opening the catalog', place);
  }
}
