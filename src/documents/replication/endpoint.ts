import type { IncomingRevision } from '../pouch.js';

/** Revisions of one document: leaves that changed, or those that somebody lacks. */
export interface NamedRevisions {
  readonly id: string;
  readonly revs: readonly string[];
}

/** Each document once, with all that is told of it. */
export function byDocument(changes: readonly NamedRevisions[]): NamedRevisions[] {
  const merged = new Map<string, Set<string>>();
  for (const { id, revs } of changes) merged.set(id, new Set([...(merged.get(id) ?? []), ...revs]));
  return [...merged].map(([id, revs]) => ({ id, revs: [...revs] }));
}

export interface FeedRequest {
  /** As a page gave it in `last`; "0" is the beginning. */
  readonly since: string;
  readonly limit: number;
  /** When there is nothing after `since`, waits this long for it. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface FeedPage {
  readonly changes: readonly NamedRevisions[];
  /** Documents that have not changed and are copied as well. */
  readonly beside?: readonly NamedRevisions[];
  readonly last: string;
  /** Changes behind this page, where the database counts them. */
  readonly pending: number | undefined;
}

/** A revision that was not written, whatever is tried again. */
export interface RefusedRevision {
  readonly id: string;
  readonly reason: string;
}

export interface ReadBatch {
  readonly revisions: readonly IncomingRevision[];
  readonly refused: readonly RefusedRevision[];
}

/** Where a replication was when both sides last wrote it down. */
export interface Checkpoint {
  /** Newest first. */
  readonly history: readonly CheckpointEntry[];
}

export interface CheckpointEntry {
  /** Random, of one run of one replication. */
  readonly session: string;
  /** Counts the checkpoints of that session. */
  readonly count: number;
  /** Of the feed of the source. */
  readonly last: string;
}

/**
 * One side of a replication. What it gives out was checked for shape and size, since it may come from a hostile host.
 * Failures are StorageErrors, after which a call may be repeated.
 */
export interface Endpoint {
  feed(request: FeedRequest): Promise<FeedPage>;
  /** Which of these this side lacks. A document may be told of more than once. */
  missing(changes: readonly NamedRevisions[], signal: AbortSignal): Promise<readonly NamedRevisions[]>;
  /**
   * The texts with their `_revisions`, in batches that fit in memory; what cannot be read is told as refused.
   */
  read(wanted: readonly NamedRevisions[], signal: AbortSignal): AsyncIterable<ReadBatch>;
  /** Writes them durably, each by itself allowed or refused. */
  write(revisions: readonly IncomingRevision[], signal: AbortSignal): Promise<readonly RefusedRevision[]>;
  /** @param id letters and digits */
  checkpoint(id: string, signal: AbortSignal): Promise<Checkpoint | undefined>;
  setCheckpoint(id: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<void>;
}
