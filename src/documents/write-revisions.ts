import { StorageError } from '../errors.js';
import { MAX_DOCUMENT_ID_CHARS } from '../limits.js';
import { Branches, type IsLatest } from './branches.js';
import type { Winner } from './change-reader.js';
import type { LevelDatabase } from './level-database.js';
import { wrapLevelDb } from './level-errors.js';
import { statusOf, type BulkResult, type IncomingRevision, type Pouch, type Revision } from './pouch.js';
import { isRevision, refuseShape, type Refusal } from './revision-shape.js';
import { olderRevisions } from './revisions.js';

/** What became of one document of a batch. */
export type WriteResult =
  | { readonly ok: true; readonly id: string; readonly rev: string }
  | (Refusal & { readonly id: string; readonly rev?: string });

export interface WriteOptions {
  /** false: the revisions are those of another database, and are kept as they are. */
  readonly newEdits: boolean;
  /**
   * Throws `{ forbidden }` or `{ unauthorized }` for a document that may not be written. As in CouchDB, `oldDoc` is the
   * nearest stored ancestor, and null for the first of a branch.
   */
  readonly validate?: (newDoc: IncomingRevision, oldDoc: Revision | null) => void;
  /** Of revisions of another database. Absent: documents have any number of branches. */
  readonly isLatest?: IsLatest;
  /** Nothing is written when one document is refused before it reaches the database. */
  readonly allOrNothing?: boolean;
}

/**
 * Writes a batch, each document by itself allowed or refused; those that are allowed reach the database together.
 *
 * @returns in order, one for each document
 * @throws StorageError when the batch could not be written at all, and PERMISSION_DENIED for `allOrNothing`
 */
export async function writeRevisions(
  database: LevelDatabase,
  documents: readonly unknown[],
  options: WriteOptions,
): Promise<readonly WriteResult[]> {
  const refusals = new Map<unknown, Refusal>();
  const shaped: IncomingRevision[] = [];
  for (const document of documents) {
    const refusal = refuseShape(document, options.newEdits);
    if (refusal) refusals.set(document, refusal);
    else shaped.push(document as IncomingRevision);
  }
  const allowed = await allow(database, shaped, { ...options, refusals });
  const [first] = refusals.values();
  if (options.allOrNothing === true && first)
    throw new StorageError('PERMISSION_DENIED', `Not written: ${first.reason}.`);
  const written = await writeAllowed(database, allowed, options.newEdits);
  return documents.map((document) => {
    const refusal = refusals.get(document);
    const { _id, _rev } = Object(document) as { _id?: unknown; _rev?: unknown };
    const id = typeof _id === 'string' ? _id.slice(0, MAX_DOCUMENT_ID_CHARS) : '';
    const rev = isRevision(_rev) ? _rev : '';
    if (refusal) return { id, ...(rev !== '' && { rev }), ...refusal };
    return written.get(document) ?? { ok: true, id, rev };
  });
}

async function writeAllowed(
  database: LevelDatabase,
  allowed: readonly IncomingRevision[],
  newEdits: boolean,
): Promise<Map<unknown, WriteResult>> {
  const results = new Map<unknown, WriteResult>();
  if (allowed.length === 0) return results;
  // PouchDB reorders what it is given, and reports on replicated revisions only when they fail.
  const told = await database.write(async (pouch) => {
    const results = await pouch.bulkDocs([...allowed], { new_edits: newEdits });
    for (const result of results) if (!('ok' in result)) demandRefusal(result, database.directory);
    return results;
  });
  if (newEdits) {
    allowed.forEach((document, index) => {
      const result = told[index];
      if (result) results.set(document, resultOf(result, document._id));
    });
    return results;
  }
  const failed = new Map(told.map((result) => [result.id, result]));
  for (const document of allowed) {
    const result = failed.get(document._id);
    if (result) results.set(document, resultOf(result, document._id));
  }
  return results;
}

/** @throws StorageError for a failure that is not the document's own: whoever wrote it is not told "never", and tries again */
function demandRefusal({ status, message, name }: Exclude<BulkResult, { readonly ok: true }>, directory: string): void {
  if (status !== undefined && status < 500) return;
  throw wrapLevelDb(new Error(message ?? name), 'Writing the catalog', directory);
}

function resultOf(result: BulkResult, id: string): WriteResult {
  if ('ok' in result) return { ok: true, id: result.id, rev: result.rev };
  if (result.status === 409) return { id, error: 'conflict', reason: 'Document update conflict.' };
  return { id, error: 'forbidden', reason: (result.message ?? 'the database refused the document').slice(0, 200) };
}

// --- validation -------------------------------------------------------------------------------------------------------

async function allow(
  database: LevelDatabase,
  documents: readonly IncomingRevision[],
  options: WriteOptions & { readonly refusals: Map<unknown, Refusal> },
): Promise<readonly IncomingRevision[]> {
  const { validate, refusals, isLatest, newEdits } = options;
  if (validate === undefined || documents.length === 0) return documents;
  const winners = await database.winners([...new Set(documents.map(({ _id }) => _id))]);
  const known = documents.filter(({ _id }) => winners.has(_id));
  const former = await database.read('Reading the catalog', (pouch) => formerRevisions(pouch, known, winners));
  const branches = isLatest && !newEdits ? new Branches(database, isLatest) : undefined;
  const allowed: IncomingRevision[] = [];
  for (const document of documents) {
    const old = former.get(document);
    // A revision that is here already is no news, whatever the rules say now.
    if (old === 'known') continue;
    const refusal = judge(() => validate(document, old ?? null)) ?? (await branches?.refuse(document));
    if (refusal) refusals.set(document, refusal);
    else allowed.push(document);
  }
  return allowed;
}

function judge(validate: () => void): Refusal | undefined {
  try {
    validate();
    return undefined;
  } catch (thrown) {
    const { forbidden, unauthorized } = Object(thrown) as { forbidden?: unknown; unauthorized?: unknown };
    if (typeof unauthorized === 'string') return { error: 'unauthorized', reason: unauthorized };
    if (typeof forbidden === 'string') return { error: 'forbidden', reason: forbidden };
    // As in CouchDB: a rule that fails forbids.
    return { error: 'forbidden', reason: thrown instanceof Error ? thrown.message : 'the rules failed' };
  }
}

/** For each document whose id is known: the newest stored text that it was made from, or that it is here itself. */
async function formerRevisions(
  pouch: Pouch,
  documents: readonly IncomingRevision[],
  winners: ReadonlyMap<string, Winner>,
): Promise<Map<IncomingRevision, Revision | 'known'>> {
  const former = new Map<IncomingRevision, Revision | 'known'>();
  for (const document of documents) {
    const winner = winners.get(document._id);
    if (winner === undefined) continue;
    const ancestors = ancestorsOf(document, winner.rev);
    const revs = [document._rev, ...ancestors].filter((rev) => rev !== undefined);
    const diff = await pouch.revsDiff({ [document._id]: revs });
    const missing = new Set(diff[document._id]?.missing);
    const isKnown = document._revisions && document._rev !== undefined && !missing.has(document._rev);
    const text = await firstText(
      pouch,
      document._id,
      revs.filter((rev) => !missing.has(rev)),
    );
    const old = isKnown ? 'known' : text;
    if (old !== undefined) former.set(document, old);
  }
  return former;
}

/** Newest first. A new edit names the revision that it replaces; without one it follows what is there, if deleted. */
function ancestorsOf(document: IncomingRevision, winner: string): readonly string[] {
  if (document._revisions) return olderRevisions([document]);
  return document._rev === undefined ? [winner] : [];
}

async function firstText(pouch: Pouch, id: string, revs: readonly string[]): Promise<Revision | undefined> {
  for (const rev of revs) {
    try {
      return await pouch.get(id, { rev });
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }
  return undefined;
}
