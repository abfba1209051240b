import type { PeerId } from '../../chunk/ids.js';

/** When the bytes of a version were stored anew, in other stripes. */
export interface VersionMove {
  /** Lamport clock: above that of every change the writer had seen. */
  readonly counter: number;
  readonly peer: PeerId;
}

/** Negative when `a` is the older; undefined, of a version that never moved, is the oldest. */
export function compareMoves(a: VersionMove | undefined, b: VersionMove | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return a.counter - b.counter || (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0);
}
