import { StorageError } from '../../errors.js';
import type { HttpSend } from '../../http-call.js';
import {
  MAX_FEED_BYTES,
  MAX_READ_REPLY_BYTES,
  MAX_SEQUENCE_CHARS,
  MAX_SINGLE_READ_BYTES,
  REPLICATION_READ_DOCUMENTS,
} from '../../limits.js';
import type { IncomingRevision } from '../pouch.js';
import { isDocumentId, isForeignRevision, isRevision } from '../revision-shape.js';
import { parseCheckpoint } from './checkpoints.js';
import { couchJson, isPassing, type JsonCall, passingFailure } from './couch-json.js';
import {
  byDocument,
  type Checkpoint,
  type Endpoint,
  type FeedPage,
  type FeedRequest,
  type NamedRevisions,
  type ReadBatch,
  type RefusedRevision,
} from './endpoint.js';

/** A Mango selector, as `_changes?filter=_selector` takes it. */
export type Selector = Readonly<Record<string, unknown>>;

export interface CouchEndpointOptions {
  readonly send: HttpSend;
  readonly database: string;
  /** What of the database is of interest; absent: all. */
  readonly selector?: Selector;
}

function corrupt(what: string): never {
  throw new StorageError('CORRUPT', `The backup host answered with ${what} that does not make sense.`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : corrupt(what);
}

function sequenceOf(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text.length <= MAX_SEQUENCE_CHARS ? text : corrupt('a sequence');
}

function revsOf(value: unknown): string[] {
  return listOf(value, 'revisions').map((rev) => (isRevision(rev) ? rev : corrupt('a revision')));
}

/** Those that a database of ours can hold. */
function ownRevs(named: readonly unknown[]): string[] {
  return revsOf(named.filter((rev) => !isForeignRevision(rev)));
}

/** A database of a CouchDB, of which nothing is believed. */
export class CouchEndpoint implements Endpoint {
  readonly #options: CouchEndpointOptions;

  constructor(options: CouchEndpointOptions) {
    this.#options = options;
  }

  async feed({ since, limit, waitMs, signal }: FeedRequest): Promise<FeedPage> {
    const { selector } = this.#options;
    const query = new URLSearchParams({ style: 'all_docs', since, limit: String(limit) });
    if (waitMs > 0) {
      query.set('feed', 'longpoll');
      query.set('timeout', String(waitMs));
    }
    if (selector !== undefined) query.set('filter', '_selector');
    const body = selector === undefined ? {} : { selector };
    const path = `/_changes?${query.toString()}`;
    const found = Object(await this.#ask({ method: 'POST', path, body, maxBytes: MAX_FEED_BYTES, signal })) as {
      results?: unknown;
      last_seq?: unknown;
      pending?: unknown;
    };
    const rows = listOf(found.results, 'changes');
    if (rows.length > limit) corrupt('more changes than were asked for');
    return {
      // A host may tell of one document twice.
      changes: byDocument(rows.flatMap(changeOf)),
      last: sequenceOf(found.last_seq),
      pending: typeof found.pending === 'number' && found.pending >= 0 ? found.pending : undefined,
    };
  }

  /**
   * All leaves of a document, deleted ones too: a live one may be what its owner has deleted on another branch.
   *
   * @throws StorageError NOT_FOUND
   */
  async leaves(id: string, signal: AbortSignal): Promise<NamedRevisions> {
    // A feed filtered by ids would tell the same, and read the whole database for it.
    const path = `/${id}?open_revs=all`;
    const found = listOf(await this.#ask({ method: 'GET', path, maxBytes: MAX_FEED_BYTES, signal }), 'leaves');
    const leaves = found.flatMap((each) => {
      const { ok } = Object(each) as { ok?: unknown };
      return ok === undefined ? [] : (Object(ok) as { _id?: unknown; _rev?: unknown });
    });
    if (leaves.length === 0) throw new StorageError('NOT_FOUND', 'The backup host has no such document.');
    if (leaves.some(({ _id }) => _id !== id)) corrupt('another document');
    return { id, revs: ownRevs(leaves.map(({ _rev }) => _rev)) };
  }

  /**
   * The live documents whose ids begin like this, `limit` of them at most, each as CouchDB reads it.
   *
   * @param prefix ends with a hyphen
   * @throws StorageError NOT_FOUND where the front of the host is an older one, which lets nobody ask for that
   */
  async listing(prefix: string, limit: number, signal: AbortSignal): Promise<readonly NamedRevisions[]> {
    const range = { startkey: JSON.stringify(prefix), endkey: JSON.stringify(prefix.replace(/-$/, '.')) };
    const path = `/_all_docs?${new URLSearchParams({ ...range, limit: String(limit) }).toString()}`;
    const found = await this.#ask({ method: 'GET', path, maxBytes: MAX_FEED_BYTES, signal });
    const rows = listOf((Object(found) as { rows?: unknown }).rows, 'rows');
    if (rows.length > limit) corrupt('more documents than were asked for');
    return rows.map((row) => {
      const { id, value } = Object(row) as { id?: unknown; value?: unknown };
      if (!isDocumentId(id) || !id.startsWith(prefix)) return corrupt('documents that nobody asked for');
      return { id, revs: ownRevs([(Object(value) as { rev?: unknown }).rev]) };
    });
  }

  async missing(told: readonly NamedRevisions[], signal: AbortSignal): Promise<readonly NamedRevisions[]> {
    const changes = byDocument(told);
    const asked = new Map(changes.map(({ id, revs }) => [id, new Set(revs)]));
    const body = Object.fromEntries(changes.map(({ id, revs }) => [id, revs]));
    const found = await this.#ask({ method: 'POST', path: '/_revs_diff', body, maxBytes: MAX_FEED_BYTES, signal });
    return Object.entries(Object(found) as Record<string, unknown>).map(([id, each]) => {
      const revs = revsOf((Object(each) as { missing?: unknown }).missing);
      if (!revs.every((rev) => asked.get(id)?.has(rev))) corrupt('revisions that nobody asked for');
      return { id, revs };
    });
  }

  async *read(wanted: readonly NamedRevisions[], signal: AbortSignal): AsyncIterable<ReadBatch> {
    const pairs = wanted.flatMap(({ id, revs }) => revs.map((rev) => ({ id, rev })));
    for (let at = 0; at < pairs.length; at += REPLICATION_READ_DOCUMENTS) {
      yield* this.#bulkGet(pairs.slice(at, at + REPLICATION_READ_DOCUMENTS), signal);
    }
  }

  /** CouchDB refuses a whole batch for one document that it cannot read: that one is looked for, by halves. */
  async write(revisions: readonly IncomingRevision[], signal: AbortSignal): Promise<readonly RefusedRevision[]> {
    try {
      return await this.#bulkDocs(revisions, signal);
    } catch (error) {
      const [first] = revisions;
      if (first === undefined || !StorageError.is(error, 'INVALID_ARGUMENT', 'LIMIT_EXCEEDED')) throw error;
      if (revisions.length === 1) return [{ id: first._id, reason: error.message }];
    }
    const middle = Math.ceil(revisions.length / 2);
    const refused = await this.write(revisions.slice(0, middle), signal);
    return [...refused, ...(await this.write(revisions.slice(middle), signal))];
  }

  async #bulkDocs(revisions: readonly IncomingRevision[], signal: AbortSignal): Promise<readonly RefusedRevision[]> {
    const body = { docs: revisions, new_edits: false };
    const value = await this.#ask({ method: 'POST', path: '/_bulk_docs', body, maxBytes: MAX_FEED_BYTES, signal });
    const refused: RefusedRevision[] = [];
    for (const each of listOf(value, 'results')) {
      const { id, error, reason } = Object(each) as { id?: unknown; error?: unknown; reason?: unknown };
      if (typeof error !== 'string') continue;
      // The whole batch again: what was written is known there then.
      if (isPassing(error)) throw passingFailure(error, String(reason));
      refused.push({ id: String(id), reason: `${error}: ${String(reason)}`.slice(0, 200) });
    }
    return refused;
  }

  async checkpoint(id: string, signal: AbortSignal): Promise<Checkpoint | undefined> {
    const found = await this.#local(id, signal);
    return found === undefined ? undefined : parseCheckpoint(found);
  }

  async setCheckpoint(id: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<void> {
    const former = (await this.#local(id, signal)) as { readonly _rev?: unknown } | undefined;
    const rev = typeof former?._rev === 'string' ? { _rev: former._rev } : {};
    const body = { ...checkpoint, ...rev };
    await this.#ask({ method: 'PUT', path: `/_local/${id}`, body, maxBytes: MAX_SINGLE_READ_BYTES, signal });
  }

  async #local(id: string, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#ask({ method: 'GET', path: `/_local/${id}`, maxBytes: MAX_SINGLE_READ_BYTES, signal });
    } catch (error) {
      if (!StorageError.is(error, 'NOT_FOUND')) throw error;
      // Either that document or the whole database.
      await this.#ask({ method: 'GET', path: '', maxBytes: MAX_SINGLE_READ_BYTES, signal });
      return undefined;
    }
  }

  async #ask(call: JsonCall): Promise<unknown> {
    const { send, database } = this.#options;
    const { value } = await couchJson(send, { ...call, path: `/${database}${call.path}` });
    return value;
  }

  /** A reply too large is asked for in halves, down to one document, which then is refused. */
  async *#bulkGet(pairs: readonly Pair[], signal: AbortSignal): AsyncIterable<ReadBatch> {
    const [first] = pairs;
    if (first === undefined) return;
    const maxBytes = pairs.length === 1 ? MAX_SINGLE_READ_BYTES : MAX_READ_REPLY_BYTES;
    let batch: ReadBatch | undefined;
    try {
      const path = '/_bulk_get?revs=true';
      batch = pick(pairs, await this.#ask({ method: 'POST', path, body: { docs: pairs }, maxBytes, signal }));
    } catch (error) {
      if (!StorageError.is(error, 'LIMIT_EXCEEDED')) throw error;
      if (pairs.length === 1) batch = { revisions: [], refused: [{ id: first.id, reason: error.message }] };
    }
    if (batch !== undefined) {
      yield batch;
      return;
    }
    const middle = Math.ceil(pairs.length / 2);
    yield* this.#bulkGet(pairs.slice(0, middle), signal);
    yield* this.#bulkGet(pairs.slice(middle), signal);
  }
}

interface Pair {
  readonly id: string;
  readonly rev: string;
}

/** Ids and revisions that no database of ours can hold, design documents among them, are passed over. */
function changeOf(row: unknown): NamedRevisions[] {
  const { id, changes } = Object(row) as { id?: unknown; changes?: unknown };
  if (!isDocumentId(id) || id.startsWith('_')) return [];
  const named = listOf(changes, 'revisions').map((each) => (Object(each) as { rev?: unknown }).rev);
  const revs = ownRevs(named);
  return revs.length === 0 ? [] : [{ id, revs }];
}

/** Of a reply what was asked for, each once. */
function pick(pairs: readonly Pair[], reply: unknown): ReadBatch {
  const open = new Map(pairs.map((pair) => [`${pair.id} ${pair.rev}`, pair]));
  const revisions: IncomingRevision[] = [];
  for (const result of listOf((Object(reply) as { results?: unknown }).results, 'documents')) {
    for (const each of listOf((Object(result) as { docs?: unknown }).docs, 'documents')) {
      const { ok, error } = Object(each) as { ok?: unknown; error?: unknown };
      const { _id, _rev } = Object(ok) as { _id?: unknown; _rev?: unknown };
      if (open.delete(`${String(_id)} ${String(_rev)}`)) revisions.push(ok as IncomingRevision);
      else checkAbsence(error);
    }
  }
  const reason = 'the host does not give it out';
  return { revisions, refused: [...open.values()].map(({ id }) => ({ id, reason })) };
}

/** A revision may have been replaced and forgotten since the feed told of it. @throws StorageError for other troubles */
function checkAbsence(failure: unknown): void {
  const { error, reason } = Object(failure) as { error?: unknown; reason?: unknown };
  if (typeof error === 'string' && error !== 'not_found' && isPassing(error))
    throw passingFailure(error, String(reason));
}
