/** What is wrong with a peer's process from its start on; bent-peer.ts does it, within that process. */
export interface Bend {
  /** Its clock; the monotonic one, and that of OpenSSL, stay right. */
  readonly clock?: { readonly aheadMs: number; readonly afterMs: number };
  readonly lie?: Lie;
  /** For every piece that is read from a file, written to one or synced, SQLite's own files excepted. */
  readonly diskDelayMs?: number;
}

/**
 * bytes: wrong ones of the right length, for whoever asks. holding: it has every chunk already that is offered, and is asked
 * for, and stores none. deletes: it acknowledges them and does nothing.
 */
export type Lie = 'bytes' | 'holding' | 'deletes';

export interface Start extends Bend {
  /** The peer's end of its connections to others: by it they know on which side of a partition it is. */
  readonly from: string;
}

/** Of the environment; holds a Start as JSON. */
export const BEND_VARIABLE = 'CAMPAIGN_BEND';
