import type { ChunkId, PeerId, UserId } from './ids.js';
import type { ChunkShape, Segment } from './segments.js';

/** A chunk as it is offered to a store. */
export interface ChunkHeader extends ChunkShape {
  readonly id: ChunkId;
  readonly owner: UserId;
  /** The owner's signed label (chunk/label.ts), kept beside the chunk as it came. */
  readonly label: Uint8Array;
}

/**
 * Where the bytes of a put come from. The store calls it with the segments that it lacks, in ascending order; the source
 * yields exactly these, in that order. The store may call it again, for those that arrived corrupt, up to
 * MAX_RESEND_ROUNDS times.
 */
export type SegmentSource = (missing: readonly number[]) => AsyncIterable<Segment>;

export interface PutOptions {
  readonly signal: AbortSignal;
  /** The owner's signed permission; a local store ignores it, a remote peer demands it. */
  readonly grant?: Uint8Array;
  /** Nobody waits for it: to the local disk it is no use that healing in the background gives way to. */
  readonly background?: boolean;
}

export interface Stored {
  /** The chunk was there already, whole, perhaps for another owner; no byte was asked for. */
  readonly existed: boolean;
  /** Segments that had to be asked for again because they arrived corrupt. */
  readonly resent: number;
  /** A remote peer's signed promise, already verified; absent from a local store. */
  readonly receipt?: Receipt;
}

/** What a peer signed when the chunk would survive a power cut at it. */
export interface Receipt {
  readonly peer: PeerId;
  /** The signed bytes, as they came. */
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export interface StoredChunk {
  readonly shape: ChunkShape;
  readonly label: Uint8Array;
  /** The asked segments in ascending order. Closing the iterator early frees whatever feeds it. */
  readonly segments: AsyncIterable<Segment>;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  /** Ascending, without duplicates; absent = all. */
  readonly segments?: readonly number[];
}

export interface ListOptions {
  readonly signal: AbortSignal;
  /** Absent: every owner's, which a remote peer refuses. */
  readonly owner?: UserId;
  /** Goes on behind this chunk; absent: from the first. */
  readonly after?: ChunkId;
  /** The owner's signed order (chunk/inventory-order.ts); a local store ignores it, a remote peer demands it. */
  readonly authorization?: Uint8Array;
}

export interface ChunkSummary {
  readonly id: ChunkId;
  readonly bytes: number;
  readonly owner: UserId;
  readonly label: Uint8Array;
}

/**
 * The one big idea: the disk, the memory, a remote peer and every decorator are ChunkStores.
 *
 * Contract (test/contract/chunk-store.ts holds every implementation to it):
 * - Chunks are immutable and named by content, so `put` is idempotent: an id that is there already is a success.
 * - `put` checks every segment against `header.hashes`, and these against `header.id`, and resolves only when the chunk
 *   would survive a power cut. When it rejects, or the process dies, no part of the chunk is visible; intact segments may
 *   be kept aside, and a later `put` of the same id asks only for the others.
 * - `get` does not verify the bytes it reads (the caller has the seal or the hash list for that); the shape that it
 *   returns is verified against the id. Unknown id: NOT_FOUND before the first segment.
 * - A segment's bytes are good until the next one is asked for: a store may use its memory again.
 * - A chunk has one or more owners; `delete` withdraws one owner's claim and frees the chunk with the last. Deleting what
 *   is not there is a success.
 * - Errors are StorageErrors; an abort rejects with `signal.reason`. Stores do not retry: their callers do.
 */
export interface ChunkStore extends AsyncDisposable {
  put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored>;
  get(id: ChunkId, options: GetOptions): Promise<StoredChunk>;
  /** @returns those of `ids` that are stored whole. At most MAX_IDS_PER_CALL ids. */
  has(ids: readonly ChunkId[], options: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>>;
  /** @param authorization the owner's signed order (chunk/grant.ts); a local store ignores it, a remote peer demands it */
  delete(
    owner: UserId,
    ids: readonly ChunkId[],
    options: { readonly signal: AbortSignal; readonly authorization?: Uint8Array },
  ): Promise<void>;
  /** An owner's chunks in ascending order of id; all owners' without `owner`. */
  list(options: ListOptions): AsyncIterable<ChunkSummary>;
}

/** A source for a chunk that lies in memory whole. */
export function segmentsOf(chunk: Uint8Array, segmentBytes: number): SegmentSource {
  return async function* (missing) {
    for (const index of missing) {
      yield { index, bytes: chunk.subarray(index * segmentBytes, Math.min((index + 1) * segmentBytes, chunk.length)) };
    }
  };
}
