import { createRequire } from 'node:module';
import type { Document } from './document-database.js';

/** A document as PouchDB takes it in. */
export interface IncomingRevision extends Document {
  readonly _rev?: string;
  readonly _deleted?: boolean;
  /** The hashes of this revision and of those before it, newest first; `start` is the generation of the newest. */
  readonly _revisions?: { readonly start: number; readonly ids: readonly string[] };
}

/** A revision of a document as PouchDB gives it out. */
export interface Revision extends IncomingRevision {
  readonly _rev: string;
}

export type BulkResult =
  | { readonly ok: true; readonly id: string; readonly rev: string }
  | {
      readonly error: true;
      readonly status?: number;
      readonly id?: string;
      readonly name?: string;
      readonly message?: string;
    };

/** What `allDocs` says of a key that was asked for; only `key` where the id is unknown. */
export interface KeyRow {
  readonly key: string;
  readonly id?: string;
  readonly value?: { readonly rev: string; readonly deleted?: boolean };
}

export interface ListRange {
  readonly startkey: string;
  readonly endkey: string;
  readonly inclusive_end?: boolean;
  readonly descending?: boolean;
  readonly limit: number;
  readonly skip: number;
}

export interface GetOptions {
  readonly rev?: string;
  readonly revs?: boolean;
  readonly revs_info?: boolean;
  readonly conflicts?: boolean;
  readonly latest?: boolean;
}

export type OpenRevision = { readonly ok: Revision } | { readonly missing: string };

/** Of revisions that another database has: those that are unknown here, by document id. */
export type RevisionsDiff = Readonly<Record<string, { readonly missing: readonly string[] }>>;

/** What is used of PouchDB. */
export interface Pouch {
  info(): Promise<{ readonly update_seq: number; readonly doc_count: number }>;
  id(): Promise<string>;
  get(id: string, options?: GetOptions): Promise<Revision>;
  get(id: string, options: GetOptions & { open_revs: readonly string[] }): Promise<readonly OpenRevision[]>;
  put(document: Document): Promise<{ readonly rev: string }>;
  remove(document: { readonly _id: string; readonly _rev: string }): Promise<{ readonly rev: string }>;
  allDocs(options: ListRange): Promise<{ readonly rows: readonly Required<KeyRow>[] }>;
  allDocs(options: { readonly keys: string[] }): Promise<{ readonly rows: readonly KeyRow[] }>;
  bulkDocs(documents: Document[], options?: { readonly new_edits: boolean }): Promise<readonly BulkResult[]>;
  revsDiff(revisions: Readonly<Record<string, readonly string[]>>): Promise<RevisionsDiff>;
  compactDocument(id: string, maxHeight: number): Promise<unknown>;
  close(): Promise<void>;
}

export type PouchConstructor = (new (name: string, options: { adapter: 'leveldb'; db: unknown }) => Pouch) & {
  plugin(adapter: unknown): void;
};

// Not `import`: the published types bring the DOM's and another Buffer into every file of the program.
const require = createRequire(import.meta.url);
export const PouchDB = require('pouchdb-core') as PouchConstructor;
PouchDB.plugin(require('pouchdb-adapter-leveldb'));

/** The HTTP status that PouchDB's errors carry. */
export function statusOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
    ? error.status
    : undefined;
}

/** The fields that a document was written with, without PouchDB's own. */
export function plainDocument(revision: Revision): Document {
  const { _id, ...rest } = revision;
  const fields = Object.entries(rest).filter(([name]) => !name.startsWith('_'));
  return { _id, ...Object.fromEntries(fields) };
}
