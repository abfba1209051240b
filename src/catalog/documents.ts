import { createRequire } from 'node:module';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { DOCUMENT_PAGE } from '../limits.js';
import { DurableFlush } from './durable.js';

/** Fields beside `_id` are plain JSON; their meaning is the reader's to check, for anyone may have written them. */
export interface Document {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** A document as a listing finds it. */
export interface Listed {
  readonly id: string;
  /** undefined: the database has lost its text. */
  readonly document: Document | undefined;
}

/**
 * The one place that knows PouchDB: a database of JSON documents by id. What `put` and `remove` resolved would survive a
 * power cut.
 */
export interface DocumentDatabase extends AsyncDisposable {
  get(id: string): Promise<Document | undefined>;
  /** In ascending order of id, page by page. */
  list(prefix: string): AsyncIterable<readonly Listed[]>;
  /** Writes each document under its id, over what may be there. All of them reach the database in one atomic batch. */
  put(documents: readonly Document[]): Promise<void>;
  /** Ids that are not there are passed over. */
  remove(ids: readonly string[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

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

type PouchConstructor = (new (name: string, options: { adapter: 'leveldb' }) => Pouch) & {
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
  if (/corrupt|does not exist \(create_if_missing|JSON/i.test(text)) {
    return new StorageError(
      'CORRUPT',
      `The catalog database in ${directory} is damaged. Move that folder away and restart this peer: it is filled again from a backup host, or by \`shoal recover\`.`,
      { cause: error },
    );
  }
  if (/no space left/i.test(text)) {
    return new StorageError('NO_SPACE', `The disk of the catalog in ${directory} is full. Free some space.`, {
      cause: error,
    });
  }
  return wrapError(error, doing);
}

// --- the database -----------------------------------------------------------------------------------------------------

/** PouchDB would share one database among all that open it, where each of us thinks it is the only writer. */
const openDirectories = new Set<string>();

class LevelDocuments implements DocumentDatabase {
  readonly #pouch: Pouch;
  readonly #directory: string;
  readonly #durable: DurableFlush;
  #closing: Promise<void> | undefined;

  constructor(pouch: Pouch, directory: string) {
    this.#pouch = pouch;
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
      const { rows } = await this.#try('Listing the catalog', () => this.#pouch.allDocs({ ...range, startkey, skip }));
      // Each by itself: with `include_docs` one unreadable document would crash the process inside the adapter.
      yield await Promise.all(rows.map(({ id }) => this.#listed(id)));
      const last = rows.at(-1);
      if (last === undefined || rows.length < DOCUMENT_PAGE) return;
      startkey = last.id;
    }
  }

  async put(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    const results = await this.#try('Writing the catalog', () => this.#pouch.bulkDocs(documents));
    const taken = documents.filter((_, index) => this.#isTaken(results[index]));
    if (taken.length > 0) await this.#replace(taken);
    await this.#flush();
  }

  async remove(ids: readonly string[]): Promise<void> {
    const found = await Promise.all(ids.map((id) => this.#stored(id)));
    const tombstones = found
      .filter((document) => document !== undefined)
      .map(({ _id, _rev }) => ({ _id, _rev, _deleted: true }));
    if (tombstones.length === 0) return;
    const results = await this.#try('Writing the catalog', () => this.#pouch.bulkDocs(tombstones));
    for (const result of results) this.#isTaken(result);
    await this.#flush();
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
      await this.#try('Closing the catalog', () => this.#pouch.close());
    } finally {
      openDirectories.delete(this.#directory);
    }
  }

  async #flush(): Promise<void> {
    await this.#try('Writing the catalog to disk', () => this.#durable.flush());
  }

  async #stored(id: string): Promise<StoredDocument | undefined> {
    try {
      return await this.#pouch.get(id);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw wrapLevelDb(error, 'Reading the catalog', this.#directory);
    }
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

  async #replace(documents: readonly Document[]): Promise<void> {
    const current = await Promise.all(documents.map(({ _id }) => this.#stored(_id)));
    const next = documents.map((document, index) => ({ ...document, _rev: current[index]?._rev }));
    const results = await this.#try('Writing the catalog', () => this.#pouch.bulkDocs(next));
    if (results.some((result) => this.#isTaken(result))) {
      throw new StorageError('CONFLICT', 'Somebody else changed the same part of the catalog. Try again.');
    }
  }

  async #try<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
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
  const place = join(directory, name);
  if (openDirectories.has(place)) {
    throw new StorageError('CONFLICT', `This process has the catalog in ${place} open already.`);
  }
  openDirectories.add(place);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const pouch = new PouchDB(place, { adapter: 'leveldb' });
    await pouch.info();
    return new LevelDocuments(pouch, place);
  } catch (error) {
    openDirectories.delete(place);
    throw wrapLevelDb(error, 'Opening the catalog', place);
  }
}
