import type { PeerId } from '../../chunk/ids.js';

/** When a change document was written, in the order in which all peers of a user agree. */
export interface ChangeStamp {
  /** Lamport clock: above that of every change the writer had seen. */
  readonly counter: number;
  readonly peer: PeerId;
  /** Hash in the id that the change first had. */
  readonly document: string;
  /** What the peer was called. Not part of the order. */
  readonly peerName: string;
}

/** When an operation was written. */
export interface Stamp {
  readonly change: ChangeStamp;
  /** Of the operation in its document. */
  readonly index: number;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Negative when `a` is the older. Total: 0 only for the same document. */
export function compareChanges(a: ChangeStamp, b: ChangeStamp): number {
  return a.counter - b.counter || compareText(a.peer, b.peer) || compareText(a.document, b.document);
}

/** Negative when `a` is the older. Total: 0 only for the same operation. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return compareChanges(a.change, b.change) || a.index - b.index;
}
