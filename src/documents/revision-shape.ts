import { MAX_DOCUMENT_BYTES, MAX_DOCUMENT_ID_CHARS, MAX_REVISION_ANCESTORS } from '../limits.js';
import { isShallow } from './json-bounds.js';
import type { Revision } from './pouch.js';

/** Why a document is not written, in CouchDB's words. */
export interface Refusal {
  readonly error: 'forbidden' | 'unauthorized' | 'conflict';
  readonly reason: string;
}

/**
 * As PouchDB and CouchDB make them. CouchDB takes others too: a hash of 32 letters it reads as hexadecimal, whatever their
 * case, and refuses a whole request for one that is none, so that nothing else of that page would ever reach it.
 * Generations have at most nine digits, so that they stay exact numbers whatever is added.
 */
const REVISION = /^[1-9]\d{0,8}-[0-9a-f]{32}$/;
const HASH = /^[0-9a-f]{32}$/;
/** What anybody could have given to a CouchDB. */
const FOREIGN_REVISION = /^\d+-[^]+$/;
const PRINTABLE = /^[\x21-\x7e]+$/;

export function isRevision(text: unknown): text is string {
  return typeof text === 'string' && REVISION.test(text);
}

/** One that a CouchDB may hold and no database of ours takes. */
export function isForeignRevision(text: unknown): boolean {
  return typeof text === 'string' && FOREIGN_REVISION.test(text) && !REVISION.test(text);
}

/** Ids of documents, but for `_local/`, which are not replicated. */
export function isDocumentId(id: unknown): id is string {
  if (typeof id !== 'string' || id.length > MAX_DOCUMENT_ID_CHARS || !PRINTABLE.test(id)) return false;
  return !id.startsWith('_') || (id.startsWith('_design/') && id.length > '_design/'.length);
}

/**
 * Whether PouchDB can be given this document. It refuses a whole batch for one that it does not understand, and a
 * replication with that document in it would never get any further.
 *
 * @returns undefined when it can
 */
export function refuseShape(document: unknown, newEdits: boolean): Refusal | undefined {
  const reason = findFault(document, newEdits);
  return reason === undefined ? undefined : { error: 'forbidden', reason };
}

function findFault(document: unknown, newEdits: boolean): string | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'a document is an object';
  const { _id, _rev, _deleted, _revisions, ...fields } = document as Partial<Revision>;
  if (!isDocumentId(_id)) return 'the id of a document is 1 to 256 printable ASCII characters, not beginning with "_"';
  if (_rev === undefined ? !newEdits : !isRevision(_rev)) return 'that is no revision';
  if (_deleted !== undefined && typeof _deleted !== 'boolean') return '"_deleted" is true or false';
  if (_revisions !== undefined && (newEdits || !isHistory(_revisions, _rev))) return 'that is no history of revisions';
  const foreign = Object.keys(fields).find((name) => name.startsWith('_'));
  if (foreign === '_attachments') return 'attachments are not taken';
  if (foreign !== undefined) return `a document has no field "${foreign.slice(0, 40)}"`;
  if (!isShallow(fields)) return 'the document has too many levels';
  const bytes = Buffer.byteLength(JSON.stringify(fields));
  return bytes > MAX_DOCUMENT_BYTES ? `a document has at most ${String(MAX_DOCUMENT_BYTES)} bytes` : undefined;
}

function isHistory(history: unknown, rev: unknown): boolean {
  if (typeof history !== 'object' || history === null) return false;
  const { start, ids } = history as { start?: unknown; ids?: unknown };
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > MAX_REVISION_ANCESTORS) return false;
  const hashes: readonly unknown[] = ids;
  if (!hashes.every((hash) => typeof hash === 'string' && HASH.test(hash))) return false;
  return typeof start === 'number' && start >= hashes.length && rev === `${String(start)}-${String(hashes[0])}`;
}
