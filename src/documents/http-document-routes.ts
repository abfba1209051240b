import type { FastifyRequest } from 'fastify';
import { StorageError } from '../errors.js';
import type { DatabaseAction } from './http-access.js';
import { bodyOf, Query } from './http-query.js';
import type { Call, Routes } from './http-routes.js';
import type { LevelDatabase } from './level-database.js';
import { statusOf, type GetOptions, type OpenRevision, type Revision } from './pouch.js';
import { readLeaves, readTexts } from './read-leaves.js';
import { isDocumentId, isRevision, refuseShape } from './revision-shape.js';
import { RESERVED_LOCAL } from './security.js';
import type { WriteResult } from './write-revisions.js';

const LOCAL = '_local/';
const DESIGN = '_design/';
const PATHS = ['/:db/:id', '/:db/_local/:local', '/:db/_design/:design'];

/** One document at a time, and checkpoints. */
export function documentRoutes(routes: Routes): void {
  for (const url of PATHS) {
    const reading = (request: FastifyRequest): DatabaseAction => actionOf(request, 'read');
    const writing = (request: FastifyRequest): DatabaseAction => actionOf(request, 'write');
    routes.addDatabase({ method: 'GET', url, action: reading }, readDocument);
    routes.addDatabase({ method: 'PUT', url, action: writing, status: 201 }, (database, call) => {
      const id = idOf(call.request);
      const rev = new Query(call.request).text('rev');
      const document = { ...bodyOf(call.request), _id: id, ...(rev !== undefined && { _rev: rev }) };
      return id.startsWith(LOCAL) ? writeLocal(database, document) : writeOne(routes, database, { call, document });
    });
    routes.addDatabase({ method: 'DELETE', url, action: writing }, (database, call) => {
      const id = idOf(call.request);
      const document = { _id: id, _rev: revOf(call.request), _deleted: true };
      return id.startsWith(LOCAL) ? removeLocal(database, document) : writeOne(routes, database, { call, document });
    });
  }
}

/** The id is in the path as it is, or wholly escaped: `_local/x` and `_local%2Fx` are one. */
function idOf(request: FastifyRequest): string {
  const { id, local, design } = request.params as { id?: string; local?: string; design?: string };
  const text = local !== undefined ? LOCAL + local : design !== undefined ? DESIGN + design : id;
  const checked = text?.startsWith(LOCAL) === true ? `x${text.slice(LOCAL.length)}` : text;
  if (text !== undefined && isDocumentId(checked) && !text.startsWith(RESERVED_LOCAL)) return text;
  throw new StorageError('INVALID_ARGUMENT', 'That is no id of a document.');
}

function actionOf(request: FastifyRequest, otherwise: 'read' | 'write'): DatabaseAction {
  const id = idOf(request);
  if (id.startsWith(LOCAL)) return 'checkpoint';
  return id.startsWith(DESIGN) && otherwise === 'write' ? 'administer' : otherwise;
}

function revOf(request: FastifyRequest): string {
  const rev = new Query(request).text('rev') ?? request.headers['if-match'];
  if (isRevision(rev)) return rev;
  throw new StorageError('INVALID_ARGUMENT', 'The parameter "rev" names the revision that is deleted.');
}

async function readDocument(database: LevelDatabase, { request }: Call): Promise<unknown> {
  const id = idOf(request);
  const query = new Query(request);
  const open = query.text('open_revs');
  if (open !== undefined) return openRevisions(database, id, query);
  return readRevision(database, id, {
    revs: query.flag('revs'),
    revs_info: query.flag('revs_info'),
    conflicts: query.flag('conflicts'),
    latest: query.flag('latest'),
    ...revOption(query.text('rev')),
  });
}

function revOption(rev: string | undefined): { rev?: string } {
  if (rev === undefined) return {};
  if (isRevision(rev)) return { rev };
  throw new StorageError('INVALID_ARGUMENT', 'The parameter "rev" is no revision.');
}

/** @throws StorageError NOT_FOUND; CORRUPT where the document is there and its text is lost */
export function readRevision(database: LevelDatabase, id: string, options: GetOptions): Promise<Revision> {
  const before = database.damageCount;
  return database.read('Reading the catalog', async (pouch) => {
    try {
      return await pouch.get(id, options);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      if (database.damageCount > before)
        throw new StorageError('CORRUPT', 'The document is damaged.', { cause: error });
      const reason = error instanceof Error && 'reason' in error && error.reason === 'deleted' ? 'deleted' : 'missing';
      throw new StorageError('NOT_FOUND', reason, { cause: error });
    }
  });
}

async function openRevisions(database: LevelDatabase, id: string, query: Query): Promise<readonly OpenRevision[]> {
  const options = { revs: query.flag('revs'), latest: query.flag('latest') };
  const text = query.text('open_revs');
  const revs = text === 'all' ? text : query.json('open_revs');
  if (revs !== 'all' && !(Array.isArray(revs) && revs.every(isRevision))) {
    throw new StorageError('INVALID_ARGUMENT', 'The parameter "open_revs" is "all" or revisions in JSON.');
  }
  const before = database.damageCount;
  const found =
    revs === 'all' ? await readLeaves(database, id, options) : await readTexts(database, { id, revs }, options);
  if (found.length > 0 || (revs !== 'all' && revs.length === 0)) return found;
  if (database.damageCount > before) throw new StorageError('CORRUPT', 'The document is damaged.');
  throw new StorageError('NOT_FOUND', 'missing');
}

async function writeOne(
  routes: Routes,
  database: LevelDatabase,
  { call, document }: { readonly call: Call; readonly document: Readonly<Record<string, unknown>> },
): Promise<WriteResult> {
  const newEdits = new Query(call.request).flag('new_edits', true);
  const [result] = await routes.write(database, [document], { newEdits, user: call.user });
  if (result === undefined) throw new Error('bug: nothing is known of a document that was written');
  if (!('error' in result)) return result;
  const codes = { conflict: 'CONFLICT', unauthorized: 'UNAUTHENTICATED', forbidden: 'PERMISSION_DENIED' } as const;
  throw new StorageError(codes[result.error], result.reason);
}

// --- checkpoints, which have one revision and no history ---------------------------------------------------------------

async function writeLocal(database: LevelDatabase, document: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { _id: id, _rev: rev, ...fields } = document;
  const refusal = refuseShape({ _id: 'checkpoint', ...fields }, true);
  if (refusal) throw new StorageError('INVALID_ARGUMENT', refusal.reason);
  const local = { ...fields, _id: String(id), ...(typeof rev === 'string' && { _rev: rev }) };
  const written = await database.write((pouch) => pouch.put(local));
  return { ok: true, id, rev: written.rev };
}

async function removeLocal(
  database: LevelDatabase,
  { _id, _rev }: { readonly _id: string; readonly _rev: string },
): Promise<unknown> {
  const removed = await database.write((pouch) => pouch.remove({ _id, _rev }));
  return { ok: true, id: _id, rev: removed.rev };
}
