import { createRequire } from 'node:module';
import { StorageError } from '../errors.js';
import { CHANGES_PAGE, FEED_TIMEOUT_MS, MAX_BULK_DOCUMENTS, MIN_FEED_HEARTBEAT_MS } from '../limits.js';
import { onAbort } from '../on-abort.js';
import type { Change } from './change-reader.js';
import type { Document } from './document-database.js';
import { bodyOf, Query } from './http-query.js';
import type { Call, Routes } from './http-routes.js';
import type { LevelDatabase } from './level-database.js';
import { changeRow } from './change-row.js';

// Without published types, like the rest of that family.
const require = createRequire(import.meta.url);
const { matchesSelector } = require('pouchdb-selector-core') as {
  readonly matchesSelector: (document: Document, selector: unknown) => boolean;
};

interface Feed {
  readonly since: number;
  readonly limit: number;
  readonly waits: boolean;
  /** How often an empty line says that the feed is alive; absent: none, and the feed ends at its timeout. */
  readonly heartbeatMs: number | undefined;
  readonly timeoutMs: number;
  readonly style: string;
  readonly includeDocs: boolean;
  readonly isWanted: (change: Change) => boolean;
  readonly signal: AbortSignal;
}

/** What changed since a sequence, at once or when it happens. */
export function changesRoutes(routes: Routes): void {
  routes.addStream({ method: ['GET', 'POST'], url: '/:db/_changes', action: 'read' }, async (database, call) => {
    return write(database, await parseFeed(database, call));
  });
}

async function parseFeed(database: LevelDatabase, { request, signal }: Call): Promise<Feed> {
  const query = new Query(request);
  const kind = query.text('feed') ?? 'normal';
  if (kind !== 'normal' && kind !== 'longpoll') throw unsupported(`The feed is "normal" or "longpoll".`);
  if (query.flag('descending')) throw unsupported('The feed is not read backwards.');
  const since = query.text('since') ?? '0';
  const start = since === 'now' ? await database.sequence() : since;
  const body = request.method === 'POST' && request.body !== undefined ? bodyOf(request) : {};
  return {
    since: await database.parseSequence(start),
    // CouchDB takes 0 for 1.
    limit: Math.max(1, query.count('limit') ?? Infinity),
    waits: kind === 'longpoll',
    heartbeatMs: heartbeatOf(query),
    timeoutMs: Math.min(query.count('timeout') ?? FEED_TIMEOUT_MS, FEED_TIMEOUT_MS),
    style: query.text('style') ?? 'main_only',
    includeDocs: query.flag('include_docs'),
    isWanted: filterOf(query, body),
    signal,
  };
}

function unsupported(message: string): StorageError {
  return new StorageError('INVALID_ARGUMENT', message);
}

function heartbeatOf(query: Query): number | undefined {
  const text = query.text('heartbeat');
  if (text === undefined || text === 'false') return undefined;
  if (text === 'true') return FEED_TIMEOUT_MS;
  return Math.min(Math.max(query.count('heartbeat') ?? 0, MIN_FEED_HEARTBEAT_MS), FEED_TIMEOUT_MS);
}

// --- filters ----------------------------------------------------------------------------------------------------------

function filterOf(query: Query, body: Readonly<Record<string, unknown>>): (change: Change) => boolean {
  const filter = query.text('filter');
  if (filter === undefined) return () => true;
  if (filter === '_doc_ids') return byIds(body['doc_ids'] ?? query.json('doc_ids'));
  if (filter === '_selector') return bySelector(body['selector']);
  throw unsupported('The filter is "_doc_ids" or "_selector".');
}

function byIds(ids: unknown): (change: Change) => boolean {
  if (!Array.isArray(ids) || ids.length > MAX_BULK_DOCUMENTS) throw unsupported('"doc_ids" is a list of ids.');
  const wanted = new Set<unknown>(ids);
  return ({ id }) => wanted.has(id);
}

function bySelector(selector: unknown): (change: Change) => boolean {
  // A regular expression of somebody else may take for ever.
  if (typeof selector !== 'object' || selector === null || JSON.stringify(selector).includes('"$regex"')) {
    throw unsupported('"selector" is an object without "$regex".');
  }
  const matches = (document: Document): boolean => {
    try {
      return matchesSelector(document, selector);
    } catch (error) {
      throw new StorageError('INVALID_ARGUMENT', 'That selector is not understood.', { cause: error });
    }
  };
  matches({ _id: 'trial' });
  return ({ document }) => document !== undefined && matches(document);
}

// --- the feed ---------------------------------------------------------------------------------------------------------

async function* write(database: LevelDatabase, feed: Feed): AsyncGenerator<string> {
  yield '{"results":[';
  const deadline = Date.now() + feed.timeoutMs;
  let last = feed.since;
  let told = 0;
  for (;;) {
    const { writes } = database;
    const end = await database.parseSequence(await database.sequence());
    while (last < end && told < feed.limit && !feed.signal.aborted) {
      const page = await rows(database, feed, { since: last, room: feed.limit - told });
      if (page.lines.length > 0) yield (told === 0 ? '\n' : ',\n') + page.lines.join(',\n');
      told += page.lines.length;
      ({ last } = page);
      if (page.isEnd) break;
    }
    if (told > 0 || !feed.waits || feed.signal.aborted) break;
    if (feed.heartbeatMs === undefined && Date.now() >= deadline) break;
    await waitForWrite(database, writes, { ms: feed.heartbeatMs ?? deadline - Date.now(), signal: feed.signal });
    if (feed.heartbeatMs !== undefined && database.writes === writes) yield '\n';
  }
  const pending = Math.max(0, (await database.parseSequence(await database.sequence())) - last);
  yield `\n],"last_seq":"${await database.formatSequence(last)}","pending":${String(pending)}}\n`;
}

async function rows(
  database: LevelDatabase,
  feed: Feed,
  { since, room }: { readonly since: number; readonly room: number },
): Promise<{ lines: string[]; last: number; isEnd: boolean }> {
  const page = await database.changes(since, CHANGES_PAGE);
  const lines: string[] = [];
  for (const change of page.changes) {
    if (!feed.isWanted(change)) continue;
    const seq = await database.formatSequence(change.sequence);
    lines.push(JSON.stringify(changeRow(change, seq, feed)));
    if (lines.length === room) return { lines, last: change.sequence, isEnd: false };
  }
  return { lines, last: page.last, isEnd: page.isEnd };
}

async function waitForWrite(
  database: LevelDatabase,
  seen: number,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), ms);
  const stop = onAbort(signal, () => waiting.abort());
  try {
    await database.nextWrite(seen, waiting.signal);
  } finally {
    clearTimeout(timer);
    stop();
  }
}
