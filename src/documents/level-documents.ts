import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StorageError } from '../errors.js';
import { CHANGES_PAGE, DOCUMENT_PAGE, ID_PAGE } from '../limits.js';
import type { Document, DocumentDatabase, Leaf, Listed } from './document-database.js';
import { LevelDatabase } from './level-database.js';
import { damagedDatabase, wrapLevelDb } from './level-errors.js';
import { plainDocument, statusOf, type BulkResult, type Pouch, type Revision } from './pouch.js';
import { putOver } from './put-over.js';
import { readLeaves, readTexts } from './read-leaves.js';
import { olderRevisions } from './revisions.js';
import { startBehind } from './start-behind.js';

/** The documents of a database in this process. */
export class LevelDocuments implements DocumentDatabase {
  readonly #database: LevelDatabase;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @param release is called once, when this is closed */
  constructor(database: LevelDatabase, release: () => Promise<void>) {
    this.#database = database;
    this.#release = release;
  }

  async get(id: string): Promise<Document | undefined> {
    const found = await this.#stored(id);
    return found && plainDocument(found);
  }

  getMany(ids: readonly string[]): Promise<readonly Listed[]> {
    return Promise.all(ids.map((id) => this.#listed(id)));
  }

  async leaves(id: string): Promise<readonly Leaf[]> {
    const revisions = await this.#leaves(id);
    return revisions.map((revision) => ({
      rev: revision._rev,
      deleted: revision._deleted === true,
      document: plainDocument(revision),
    }));
  }

  async texts(id: string): Promise<readonly Document[]> {
    const leaves = await this.#leaves(id);
    const older = olderRevisions(leaves);
    const found = await readTexts(this.#database, { id, revs: older });
    const texts = found.flatMap((each) => ('ok' in each ? [each.ok] : []));
    return [...leaves, ...texts].map(plainDocument);
  }

  async *list(prefix: string): AsyncIterable<readonly Listed[]> {
    for await (const { ids, isDamaged } of this.#pages(prefix, DOCUMENT_PAGE)) {
      if (isDamaged) yield [{ id: `${prefix}?`, document: undefined }];
      // Each by itself: with `include_docs` one unreadable document would crash the process inside the adapter.
      const listed = await Promise.all(ids.map((id) => this.#listed(id)));
      if (listed.length > 0) yield listed;
    }
  }

  async *ids(prefix: string, after?: string): AsyncIterable<readonly string[]> {
    for await (const { ids } of this.#pages(prefix, ID_PAGE, startBehind(prefix, after))) if (ids.length > 0) yield ids;
  }

  async put(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    await this.#database.write(async (pouch) => {
      await putOver(documents, {
        write: async (some) => {
          const results = await pouch.bulkDocs([...some]);
          return some.filter((_, index) => this.#isTaken(results[index]));
        },
        winners: (ids) => winnersOf(pouch, ids),
      });
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const found = await this.#database.read('Reading the catalog', (pouch) => winnersOf(pouch, ids));
    const tombstones = [...found]
      .filter(([, { deleted }]) => !deleted)
      .map(([_id, { rev }]) => ({ _id, _rev: rev, _deleted: true }));
    await this.#removeRevisions(tombstones);
  }

  async removeLeaves(id: string, revs: readonly string[]): Promise<void> {
    await this.#removeRevisions(revs.map((rev) => ({ _id: id, _rev: rev, _deleted: true })));
  }

  sequence(): Promise<string> {
    return this.#database.sequence();
  }

  async *changes(options: { readonly since: string; readonly signal: AbortSignal }): AsyncIterable<readonly string[]> {
    const { signal } = options;
    let since = await this.#database.parseSequence(options.since);
    while (!signal.aborted && this.#closing === undefined) {
      const { writes } = this.#database;
      const page = await this.#database.changes(since, CHANGES_PAGE);
      since = page.last;
      if (page.changes.length > 0) yield page.changes.map(({ id }) => id);
      if (page.isEnd) await this.#database.nextWrite(writes, signal);
    }
  }

  compact(): Promise<void> {
    return this.#database.compact();
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#pages(
    prefix: string,
    limit: number,
    start = prefix,
  ): AsyncGenerator<{ readonly ids: readonly string[]; readonly isDamaged: boolean }> {
    // U+FFFF sorts behind every id, all of which are ASCII.
    const range = { endkey: `${prefix}\uffff`, limit };
    let startkey = start;
    for (let skip = 0; ; skip = 1) {
      const damageBefore = this.#database.damageCount;
      const { rows } = await this.#database.read('Listing the catalog', (pouch) =>
        pouch.allDocs({ ...range, startkey, skip }),
      );
      yield { ids: rows.map(({ id }) => id), isDamaged: this.#database.damageCount > damageBefore };
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return;
      startkey = last.id;
    }
  }

  async #stored(id: string): Promise<Revision | undefined> {
    const damageBefore = this.#database.damageCount;
    return this.#database.read('Reading the catalog', async (pouch) => {
      try {
        return await pouch.get(id);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        if (this.#database.damageCount > damageBefore) throw damagedDatabase(this.#database.directory, error);
        return undefined;
      }
    });
  }

  async #leaves(id: string): Promise<readonly Revision[]> {
    const damageBefore = this.#database.damageCount;
    const found = await readLeaves(this.#database, id, { revs: true });
    if (found.length === 0 && this.#database.damageCount > damageBefore) {
      throw damagedDatabase(this.#database.directory);
    }
    return found.map((each) => {
      if ('ok' in each) return each.ok;
      throw damagedDatabase(this.#database.directory);
    });
  }

  async #listed(id: string): Promise<Listed> {
    try {
      return { id, document: await this.get(id) };
    } catch (error) {
      if (StorageError.is(error, 'CORRUPT')) return { id, document: undefined };
      throw error;
    }
  }

  async #removeRevisions(tombstones: Document[]): Promise<void> {
    if (tombstones.length === 0) return;
    await this.#database.write(async (pouch) => {
      const results = await pouch.bulkDocs(tombstones);
      // Taken: somebody else wrote over that leaf, which then is none any more.
      for (const result of results) this.#isTaken(result);
    });
  }

  /** @returns true when the id has a document already; @throws for any other failure */
  #isTaken(result: BulkResult | undefined): boolean {
    if (result === undefined || 'ok' in result) return false;
    if (result.status === 409) return true;
    throw wrapLevelDb(result, 'Writing the catalog', this.#database.directory);
  }
}

async function winnersOf(
  pouch: Pouch,
  ids: readonly string[],
): Promise<Map<string, { rev: string; deleted: boolean }>> {
  const { rows } = await pouch.allDocs({ keys: [...ids] });
  const winners = new Map<string, { rev: string; deleted: boolean }>();
  for (const { key, value } of rows) if (value) winners.set(key, { rev: value.rev, deleted: value.deleted === true });
  return winners;
}

/** PouchDB would share one database among all that open it, where each of us thinks it is the only writer. */
const openDirectories = new Set<string>();

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
  const forget = (): boolean => openDirectories.delete(place);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const database = await LevelDatabase.open(place);
    return new LevelDocuments(database, async () => {
      try {
        await database.close();
      } finally {
        forget();
      }
    });
  } catch (error) {
    forget();
    throw wrapLevelDb(error, 'Opening the catalog', place);
  }
}
