import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../errors.js';
import {
  CHANGES_PAGE,
  COMPACTION_TIMEOUT_MS,
  DOCUMENT_PAGE,
  FEED_RETRY_MAX_MS,
  FEED_RETRY_MIN_MS,
  FEED_WAIT_MS,
  HOSTING_CALL_TIMEOUT_MS,
  ID_PAGE,
} from '../limits.js';
import type { Document, DocumentDatabase, Leaf, Listed } from './document-database.js';
import type { CallOptions, HttpConnection } from './http-connection.js';
import { plainDocument, type KeyRow, type OpenRevision, type Revision } from './pouch.js';
import { putOver } from './put-over.js';
import { olderRevisions } from './revisions.js';
import type { WriteResult } from './write-revisions.js';
import { startBehind } from './start-behind.js';

type ListingRow = KeyRow & { readonly error?: string; readonly doc?: Revision | null };

/** The documents of a database of PouchDB hosting. */
export class HttpDocuments implements DocumentDatabase {
  readonly #connection: HttpConnection;
  readonly #path: string;
  readonly #closing = new AbortController();

  constructor(connection: HttpConnection, name: string) {
    this.#connection = connection;
    this.#path = `/${name}`;
  }

  async get(id: string): Promise<Document | undefined> {
    const found = await this.#found(this.#call('GET', documentPath(id)));
    return found === undefined ? undefined : plainDocument(found as Revision);
  }

  async getMany(ids: readonly string[]): Promise<readonly Listed[]> {
    if (ids.length === 0) return [];
    const { rows } = (await this.#call('POST', '/_all_docs?include_docs=true', { body: { keys: ids } })) as {
      rows: readonly ListingRow[];
    };
    const found = new Map(rows.map(({ key, doc }) => [key, doc ? plainDocument(doc) : undefined]));
    return ids.map((id) => ({ id, document: found.get(id) }));
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
    const docs = olderRevisions(leaves).map((rev) => ({ id, rev }));
    if (docs.length === 0) return leaves.map(plainDocument);
    const { results } = (await this.#call('POST', '/_bulk_get', { body: { docs } })) as {
      results: { docs: readonly { ok?: Revision }[] }[];
    };
    const older = results.flatMap((result) => result.docs.flatMap(({ ok }) => (ok ? [ok] : [])));
    return [...leaves, ...older].map(plainDocument);
  }

  async *list(prefix: string): AsyncIterable<readonly Listed[]> {
    for await (const rows of this.#pages(prefix, { limit: DOCUMENT_PAGE, includeDocuments: true, start: prefix })) {
      if (rows.length > 0) yield rows.flatMap((row) => listedOf(row, prefix));
    }
  }

  async *ids(prefix: string, after?: string): AsyncIterable<readonly string[]> {
    const start = startBehind(prefix, after);
    for await (const rows of this.#pages(prefix, { limit: ID_PAGE, includeDocuments: false, start })) {
      const ids = rows.flatMap(({ id }) => (id === undefined ? [] : [id]));
      if (ids.length > 0) yield ids;
    }
  }

  async put(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    await putOver(documents, {
      write: async (some) => {
        const results = await this.#write(some);
        return some.filter((_, index) => isTaken(results[index]));
      },
      winners: (ids) => this.#winners(ids),
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const found = [...(await this.#winners(ids))].filter(([, { deleted }]) => deleted !== true);
    await this.#removeRevisions(found.map(([_id, { rev }]) => ({ _id, _rev: rev, _deleted: true })));
  }

  async removeLeaves(id: string, revs: readonly string[]): Promise<void> {
    await this.#removeRevisions(revs.map((rev) => ({ _id: id, _rev: rev, _deleted: true })));
  }

  async sequence(): Promise<string> {
    const { update_seq } = (await this.#call('GET', '')) as { update_seq: string };
    return update_seq;
  }

  async *changes(options: { readonly since: string; readonly signal: AbortSignal }): AsyncIterable<readonly string[]> {
    let { since } = options;
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const isOver = (): boolean => signal.aborted;
    let pauseMs = 0;
    while (!isOver()) {
      try {
        const page = await this.#nextChanges(since, signal);
        pauseMs = 0;
        since = page.last_seq;
        if (page.results.length > 0) yield page.results.map(({ id }) => id);
      } catch (error) {
        if (isOver()) return;
        if (!StorageError.is(error, 'UNAVAILABLE', 'TIMEOUT', 'CANCELLED')) throw error;
        pauseMs = Math.min(Math.max(FEED_RETRY_MIN_MS, 2 * pauseMs), FEED_RETRY_MAX_MS);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async compact(): Promise<void> {
    await this.#call('POST', '/_compact', { timeoutMs: COMPACTION_TIMEOUT_MS });
  }

  /** Ends its feeds. The connection is the host's. */
  async close(): Promise<void> {
    this.#closing.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call(method: string, path: string, options: CallOptions = {}): Promise<unknown> {
    return this.#connection.call(method, this.#path + path, options);
  }

  async #found(reading: Promise<unknown>): Promise<unknown> {
    try {
      return await reading;
    } catch (error) {
      // The words of the protocol for a document; that there is no such database is said otherwise.
      if (StorageError.is(error, 'NOT_FOUND') && ['missing', 'deleted'].includes(error.message)) return undefined;
      throw error;
    }
  }

  async *#pages(
    prefix: string,
    { limit, includeDocuments, start }: { limit: number; includeDocuments: boolean; start: string },
  ): AsyncGenerator<readonly ListingRow[]> {
    let startkey = start;
    for (let skip = 0; ; skip = 1) {
      const query = new URLSearchParams({
        include_docs: String(includeDocuments),
        // U+FFFF sorts behind every id, all of which are ASCII.
        endkey: JSON.stringify(`${prefix}\uffff`),
        startkey: JSON.stringify(startkey),
        skip: String(skip),
        limit: String(limit),
      });
      const { rows } = (await this.#call('GET', `/_all_docs?${String(query)}`)) as { rows: readonly ListingRow[] };
      yield rows;
      const last = rows.findLast(({ id }) => id !== undefined)?.id;
      if (last === undefined || rows.length < limit) return;
      startkey = last;
    }
  }

  async #leaves(id: string): Promise<readonly Revision[]> {
    const found = await this.#found(this.#call('GET', `${documentPath(id)}?open_revs=all&revs=true`));
    const leaves = (found ?? []) as readonly OpenRevision[];
    return leaves.map((leaf) => {
      if ('ok' in leaf) return leaf.ok;
      throw new StorageError('CORRUPT', `A revision of the document ${id} is damaged.`);
    });
  }

  async #nextChanges(
    since: string,
    signal: AbortSignal,
  ): Promise<{ readonly results: readonly { readonly id: string }[]; readonly last_seq: string }> {
    const query = new URLSearchParams({ feed: 'longpoll', since });
    query.set('limit', String(CHANGES_PAGE));
    query.set('timeout', String(FEED_WAIT_MS));
    const timeoutMs = FEED_WAIT_MS + HOSTING_CALL_TIMEOUT_MS;
    const reply = await this.#call('GET', `/_changes?${String(query)}`, { signal, timeoutMs, waits: true });
    return reply as { results: { id: string }[]; last_seq: string };
  }

  async #winners(ids: readonly string[]): Promise<Map<string, Required<KeyRow>['value']>> {
    const { rows } = (await this.#call('POST', '/_all_docs', { body: { keys: ids } })) as { rows: readonly KeyRow[] };
    return new Map(rows.flatMap(({ key, value }) => (value ? [[key, value] as const] : [])));
  }

  async #write(documents: readonly Document[]): Promise<readonly WriteResult[]> {
    const body = { docs: documents, all_or_nothing: true };
    return (await this.#call('POST', '/_bulk_docs', { body })) as readonly WriteResult[];
  }

  async #removeRevisions(tombstones: readonly Document[]): Promise<void> {
    if (tombstones.length === 0) return;
    // Taken: somebody else wrote over that leaf, which then is none any more.
    for (const result of await this.#write(tombstones)) isTaken(result);
  }
}

/** @returns true when the id has a document already; @throws for any other failure */
function isTaken(result: WriteResult | undefined): boolean {
  if (result === undefined || 'ok' in result) return false;
  if (result.error === 'conflict') return true;
  throw new StorageError('PERMISSION_DENIED', `PouchDB hosting refuses a document: ${result.reason}.`);
}

function documentPath(id: string): string {
  return `/${encodeURIComponent(id)}`;
}

function listedOf({ id, error, doc }: ListingRow, prefix: string): readonly Listed[] {
  if (id === undefined) return [{ id: `${prefix}?`, document: undefined }];
  if (error !== undefined) return [{ id, document: undefined }];
  // Deleted while it was listed.
  return doc ? [{ id, document: plainDocument(doc) }] : [];
}
