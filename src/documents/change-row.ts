import type { Change } from './change-reader.js';
import type { Document } from './document-database.js';

/** A row of a feed of changes, as CouchDB gives it out. */
export interface ChangeRow {
  readonly seq: string;
  readonly id: string;
  readonly changes: readonly { readonly rev: string }[];
  readonly deleted?: true;
  readonly doc?: Document | null;
}

interface RowOptions {
  /** "all_docs": every leaf is named, not the winner alone. */
  readonly style: string;
  readonly includeDocs: boolean;
}

export function changeRow(change: Change, seq: string, options: RowOptions): ChangeRow {
  const others = change.leaves.filter((rev) => rev !== change.rev);
  const revs = options.style === 'all_docs' ? [change.rev, ...others] : [change.rev];
  return {
    seq,
    id: change.id,
    changes: revs.map((rev) => ({ rev })),
    ...(change.deleted && { deleted: true }),
    ...(options.includeDocs && { doc: change.document ?? null }),
  };
}
