/** Fields beside `_id` are plain JSON; their meaning is the reader's to check, for anyone may have written them. */
export interface Document {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** A document as a listing, or `getMany`, finds it. */
export interface Listed {
  /** "…-?" when not even the id can be read. */
  readonly id: string;
  /** undefined: the database has lost its text, or, asked by id, has no such document. */
  readonly document: Document | undefined;
}

/** One end of a document's revision tree. Peers that write apart make several; anyone may have made any of them. */
export interface Leaf {
  /** "generation-hash". Says nothing about who is right. */
  readonly rev: string;
  readonly deleted: boolean;
  /** Of a deleted leaf: the fields that its tombstone carries. */
  readonly document: Document;
}

/** A database of JSON documents by id. What `put` and `remove` resolved would survive a power cut. */
export interface DocumentDatabase extends AsyncDisposable {
  /** The leaf that CouchDB's rule picks: enough where the id commits to the content, and nowhere else. */
  get(id: string): Promise<Document | undefined>;
  /** What `get` finds under each of these ids, in their order; nothing for what cannot be read. All are in memory at once. */
  getMany(ids: readonly string[]): Promise<readonly Listed[]>;
  /** All leaves, deleted ones too, in no order; none when the id was never there. */
  leaves(id: string): Promise<readonly Leaf[]>;
  /** Every text of a document that this database can still give out, older revisions and tombstones too, in no order. */
  texts(id: string): Promise<readonly Document[]>;
  /** Ids in ascending order, page by page, each with the leaf that `get` finds. */
  list(prefix: string): AsyncIterable<readonly Listed[]>;
  /** The ids that `list` finds, without the documents: for those who have most of them. With `after`, those behind it. */
  ids(prefix: string, after?: string): AsyncIterable<readonly string[]>;
  /** Writes each document under its id, over what may be there. All of them reach the database in one atomic batch. */
  put(documents: readonly Document[]): Promise<void>;
  /** Ids that are not there are passed over. */
  remove(ids: readonly string[]): Promise<void>;
  /** Ends these leaves of one document with tombstones; the others stay. */
  removeLeaves(id: string, revs: readonly string[]): Promise<void>;
  /** Where the feed of changes stands: what was written before is in a `list` that starts now. */
  sequence(): Promise<string>;
  /** The ids that change after `since`, in batches, each at least once; waits for more until the signal aborts, then ends. */
  changes(options: { readonly since: string; readonly signal: AbortSignal }): AsyncIterable<readonly string[]>;
  /** Forgets the text of every revision that is no leaf. */
  compact(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The databases of one peer: in this process, or those of its PouchDB hosting. */
export interface DocumentHost extends AsyncDisposable {
  /** Opens a database, made when missing. @throws StorageError CONFLICT, CORRUPT, UNAVAILABLE */
  open(name: string): Promise<DocumentDatabase>;
  /** In ascending order. */
  names(): Promise<readonly string[]>;
  /** Deletes a database with all it holds. Nothing happens when there is none. */
  drop(name: string): Promise<void>;
}
