import { StorageError } from '../errors.js';
import { DOCUMENT_PAGE, MAX_BULK_DOCUMENTS, READ_CONCURRENCY } from '../limits.js';
import { readRevision } from './http-document-routes.js';
import { bodyOf, Query } from './http-query.js';
import type { Routes } from './http-routes.js';
import type { LevelDatabase } from './level-database.js';
import type { Document } from './document-database.js';
import type { KeyRow } from './pouch.js';
import { readLeaves } from './read-leaves.js';
import { isDocumentId, isRevision } from './revision-shape.js';

/** Many documents at a time. */
export function bulkRoutes(routes: Routes): void {
  routes.addDatabase(
    { method: 'POST', url: '/:db/_bulk_docs', action: 'write', status: 201 },
    async (database, call) => {
      const body = bodyOf(call.request);
      const newEdits = body['new_edits'] !== false;
      const results = await routes.write(database, listOf(body, 'docs'), {
        newEdits,
        allOrNothing: body['all_or_nothing'] === true,
        user: call.user,
      });
      // As in CouchDB: of replicated revisions only those are told of that were not taken.
      return newEdits ? results : results.filter((result) => 'error' in result);
    },
  );
  routes.addStream({ method: 'POST', url: '/:db/_bulk_get', action: 'read' }, async (database, { request }) => {
    const asked = listOf(bodyOf(request), 'docs').map(parseAsked);
    const query = new Query(request);
    return bulkGet(database, asked, { revs: query.flag('revs'), latest: query.flag('latest') });
  });
  routes.addStream(
    { method: ['GET', 'POST'], url: '/:db/_all_docs', action: 'read' },
    async (database, { request }) => {
      const query = new Query(request);
      const withDocuments = query.flag('include_docs');
      const keys = request.method === 'POST' ? parseKeys(bodyOf(request)) : undefined;
      if (keys !== undefined) return allDocs(database, rowsOf(database, keys, withDocuments));
      const pages = listing(database, rangeOf(query));
      return allDocs(database, withDocuments ? pagesWithTexts(database, pages) : pages);
    },
  );
}

function listOf(body: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const list = body[name];
  if (!Array.isArray(list)) throw new StorageError('INVALID_ARGUMENT', `The body has a list "${name}".`);
  if (list.length > MAX_BULK_DOCUMENTS) {
    throw new StorageError('LIMIT_EXCEEDED', `At most ${String(MAX_BULK_DOCUMENTS)} documents are taken at once.`);
  }
  return list;
}

// --- _bulk_get --------------------------------------------------------------------------------------------------------

interface Asked {
  readonly id: string;
  /** Absent: all leaves. */
  readonly rev?: string;
}

interface BulkGetOptions {
  readonly revs: boolean;
  readonly latest: boolean;
}

function parseAsked(asked: unknown): Asked {
  const { id, rev } = Object(asked) as { id?: unknown; rev?: unknown };
  if (isDocumentId(id) && rev === undefined) return { id };
  if (isDocumentId(id) && isRevision(rev)) return { id, rev };
  throw new StorageError('INVALID_ARGUMENT', 'Each of the list names a document by "id", and a revision by "rev".');
}

async function* bulkGet(
  database: LevelDatabase,
  asked: readonly Asked[],
  options: BulkGetOptions,
): AsyncGenerator<string> {
  yield '{"results":[';
  for (let at = 0; at < asked.length; at += READ_CONCURRENCY) {
    const group = asked.slice(at, at + READ_CONCURRENCY);
    const results = await Promise.all(group.map((each) => bulkResult(database, each, options)));
    yield (at === 0 ? '' : ',') + results.join(',');
  }
  yield ']}';
}

async function bulkResult(database: LevelDatabase, { id, rev }: Asked, options: BulkGetOptions): Promise<string> {
  try {
    if (rev !== undefined) {
      const ok = await readRevision(database, id, { ...options, rev });
      return JSON.stringify({ id, docs: [{ ok }] });
    }
    const leaves = await readLeaves(database, id, options);
    if (leaves.length === 0) return JSON.stringify({ id, docs: [missing(id, undefined)] });
    return JSON.stringify({ id, docs: leaves.map((leaf) => ('ok' in leaf ? leaf : missing(id, leaf.missing))) });
  } catch (error) {
    if (!StorageError.is(error, 'NOT_FOUND', 'CORRUPT')) throw error;
    return JSON.stringify({ id, docs: [missing(id, rev)] });
  }
}

function missing(id: string, rev: string | undefined): object {
  return { error: { id, rev: rev ?? 'undefined', error: 'not_found', reason: 'missing' } };
}

// --- _all_docs --------------------------------------------------------------------------------------------------------

interface Range {
  readonly startkey: string;
  readonly endkey: string;
  readonly inclusive_end: boolean;
  readonly descending: boolean;
  readonly skip: number;
  readonly limit: number;
}

/** A row of a listing. `damaged` stands for what is there and cannot be read. */
type ListingRow = KeyRow & { readonly error?: 'not_found' | 'damaged'; readonly doc?: Document | null };

function rangeOf(query: Query): Range {
  const descending = query.flag('descending');
  const key = query.key('key');
  const start = key ?? query.key('startkey', 'start_key');
  const end = key ?? query.key('endkey', 'end_key');
  return {
    startkey: start ?? (descending ? '\uffff' : ''),
    endkey: end ?? (descending ? '' : '\uffff'),
    inclusive_end: query.flag('inclusive_end', true),
    descending,
    skip: query.count('skip') ?? 0,
    limit: query.count('limit') ?? Infinity,
  };
}

function parseKeys(body: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = listOf(body, 'keys');
  if (keys.every((key) => typeof key === 'string')) return keys;
  throw new StorageError('INVALID_ARGUMENT', 'The keys are ids of documents.');
}

async function* rowsOf(
  database: LevelDatabase,
  keys: readonly string[],
  withDocuments: boolean,
): AsyncGenerator<readonly ListingRow[]> {
  for (let at = 0; at < keys.length; at += DOCUMENT_PAGE) {
    const rows = await bareRows(database, keys.slice(at, at + DOCUMENT_PAGE));
    yield withDocuments ? await withTexts(database, rows) : rows;
  }
}

async function bareRows(database: LevelDatabase, keys: readonly string[]): Promise<readonly ListingRow[]> {
  const winners = await database.winners(keys);
  return keys.map((key) => {
    const winner = winners.get(key);
    if (winner === undefined) return { key, error: 'not_found' as const };
    const { rev, deleted } = winner;
    return { id: key, key, value: { rev, ...(deleted && { deleted }) } };
  });
}

async function* listing(database: LevelDatabase, range: Range): AsyncGenerator<readonly ListingRow[]> {
  const { limit, ...rest } = range;
  let { startkey, skip } = range;
  for (let left = limit; left > 0;) {
    const size = Math.min(left, DOCUMENT_PAGE);
    const before = database.damageCount;
    const { rows } = await database.read('Listing the catalog', (pouch) =>
      pouch.allDocs({ ...rest, startkey, skip, limit: size }),
    );
    if (database.damageCount > before) yield [{ key: `${range.startkey}?`, error: 'damaged' }];
    yield rows.map(({ id, key, value }) => ({ id, key, value }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    left -= rows.length;
    startkey = last.id;
    skip = 1;
  }
}

async function* allDocs(database: LevelDatabase, pages: AsyncIterable<readonly ListingRow[]>): AsyncGenerator<string> {
  const { doc_count: count } = await database.read('Reading the catalog', (pouch) => pouch.info());
  yield `{"total_rows":${String(count)},"offset":0,"rows":[`;
  let separator = '';
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield separator + page.map((row) => JSON.stringify(row)).join(',');
    separator = ',';
  }
  yield ']}';
}

async function* pagesWithTexts(
  database: LevelDatabase,
  pages: AsyncIterable<readonly ListingRow[]>,
): AsyncGenerator<readonly ListingRow[]> {
  for await (const page of pages) yield await withTexts(database, page);
}

async function withTexts(database: LevelDatabase, rows: readonly ListingRow[]): Promise<readonly ListingRow[]> {
  const ids = rows.flatMap(({ id, value }) => (id === undefined || value?.deleted === true ? [] : [id]));
  const current = await database.current(ids);
  return rows.map((row) => {
    if (row.id === undefined || row.value === undefined) return row;
    const found = current.get(row.id);
    // It may have been deleted since the listing was read.
    if (row.value.deleted === true || found?.deleted === true) return { ...row, doc: null };
    return found?.document === undefined ? { ...row, error: 'damaged' } : { ...row, doc: found.document };
  });
}
