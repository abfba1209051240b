import type { ChunkId, UserId } from './ids.js';

/** What a peer says of chunks that it is asked about. It looks them up and reads none: audits and scrubs read. */
export interface Holdings {
  /** Stored, be they damaged. */
  readonly held: ReadonlySet<ChunkId>;
  /** Of those: the peer's own scrub found them damaged, and could not mend them yet. Parts of them may be had. */
  readonly damaged: ReadonlySet<ChunkId>;
  /** Not stored, because the owner whom the question named has taken them back. */
  readonly withdrawn: ReadonlySet<ChunkId>;
  /** Another one than before: the peer has opened its store anew since, and it may be another store. Empty: not told. */
  readonly opened: string;
}

/** Of the mark by which a store that was opened anew is known. */
export const OPENED_BYTES = 16;

export interface HoldingsOptions {
  /** Whose chunks they are; absent: `withdrawn` is empty. */
  readonly owner?: UserId;
  readonly signal: AbortSignal;
}

export interface HoldingsSource {
  /** At most MAX_IDS_PER_CALL ids. Durable, as the answer of `ChunkStore.has`. */
  holdings(ids: readonly ChunkId[], options: HoldingsOptions): Promise<Holdings>;
}
