import { StorageError } from '../errors.js';
import { MAX_BULK_DOCUMENTS, MAX_REVISION_ANCESTORS } from '../limits.js';
import { bodyOf } from './http-query.js';
import type { Routes } from './http-routes.js';
import { isDocumentId, isRevision } from './revision-shape.js';
import { parseSecurity, readSecurity, writeSecurity } from './security.js';

/** The server, its databases, and each database as a whole. */
export function databaseRoutes(routes: Routes): void {
  serverRoutes(routes);
  lifeRoutes(routes);
  upkeepRoutes(routes);
  routes.addDatabase({ method: 'POST', url: '/:db/_revs_diff', action: 'read' }, (database, { request }) => {
    const asked = parseRevisions(bodyOf(request));
    return database.read('Comparing revisions', (pouch) => pouch.revsDiff(asked));
  });
}

function serverRoutes(routes: Routes): void {
  const { host, options } = routes;
  routes.add({ method: 'GET', url: '/', action: 'greet' }, async () => ({
    couchdb: 'Welcome',
    version: '3.0.0',
    vendor: { name: 'Shoal' },
    uuid: options.uuid,
    features: [],
  }));
  routes.add({ method: 'GET', url: '/_all_dbs', action: 'list' }, () => host.names());
  routes.add({ method: 'GET', url: '/_status', action: 'list' }, async () => ({
    damaged: host.damaged(),
    ...options.status?.(),
  }));
}

function lifeRoutes(routes: Routes): void {
  routes.addDatabase({ method: 'GET', url: '/:db', action: 'read' }, async (database, { user }) => {
    const { doc_count } = await database.read('Reading the catalog', (pouch) => pouch.info());
    const update_seq = await database.sequence();
    return { db_name: user.db, doc_count, update_seq, instance_start_time: '0', compact_running: false };
  });
  routes.add({ method: 'PUT', url: '/:db', action: 'create', status: 201 }, async (_, name) => {
    if (await routes.host.has(name)) {
      throw new StorageError('ALREADY_EXISTS', 'The database could not be created, the file already exists.');
    }
    (await routes.host.acquire(name)).release();
    return { ok: true };
  });
  routes.add({ method: 'DELETE', url: '/:db', action: 'drop' }, async (_, name) => {
    if (!(await routes.host.has(name))) throw new StorageError('NOT_FOUND', 'Database does not exist.');
    await routes.host.drop(name);
    return { ok: true };
  });
}

function upkeepRoutes(routes: Routes): void {
  // Everything that was acknowledged is on the disk already.
  const flushed = { ok: true, instance_start_time: '0' };
  routes.addDatabase(
    { method: 'POST', url: '/:db/_ensure_full_commit', action: 'read', status: 201 },
    async () => flushed,
  );
  routes.addDatabase({ method: 'POST', url: '/:db/_compact', action: 'administer', status: 202 }, async (database) => {
    await database.compact();
    return { ok: true };
  });
  routes.addDatabase({ method: 'GET', url: '/:db/_security', action: 'read' }, readSecurity);
  routes.addDatabase({ method: 'PUT', url: '/:db/_security', action: 'administer' }, async (database, { request }) => {
    await writeSecurity(database, parseSecurity(bodyOf(request)));
    return { ok: true };
  });
}

function parseRevisions(body: Readonly<Record<string, unknown>>): Record<string, string[]> {
  const entries = Object.entries(body).map(([id, revs]): [string, string[]] => {
    if (isDocumentId(id) && Array.isArray(revs) && revs.length <= MAX_REVISION_ANCESTORS && revs.every(isRevision)) {
      return [id, revs];
    }
    throw new StorageError('INVALID_ARGUMENT', 'The body names revisions by the ids of documents.');
  });
  let count = 0;
  for (const [, revs] of entries) count += revs.length;
  if (count > MAX_BULK_DOCUMENTS) {
    throw new StorageError('LIMIT_EXCEEDED', `At most ${String(MAX_BULK_DOCUMENTS)} revisions are compared at once.`);
  }
  return Object.fromEntries(entries);
}
