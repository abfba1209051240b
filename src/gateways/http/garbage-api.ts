/**
 * What lies at peers for nothing, and what they are still to delete. Types only, so that the command line and browsers can
 * import them.
 *
 *   GET  /v1/garbage        → GarbageReply; needs no unlocked user
 *   POST /v1/garbage {old}  → GarbageEvent lines: all peers are asked now; what may be deleted is
 *
 * Closing the connection ends it; what was begun goes on by itself.
 */
import type { ProblemReply } from './api.js';

export interface WaitingReply {
  readonly peer: string;
  readonly name: string;
  readonly chunks: number;
  /** RFC 3339; null: since an older version of Shoal ran here. */
  readonly since: string | null;
  readonly nextTry: string;
  readonly tries: number;
  /** Why the last try failed; null when there was none. */
  readonly reason: string | null;
}

export interface HeldReply {
  readonly peer: string;
  readonly name: string;
  /** When it told all that it holds; null: not yet. */
  readonly listed: string | null;
  readonly chunks: number;
  readonly bytes: number;
  /** Why it told no more the last time; null when it told all. */
  readonly failure: string | null;
  /** Of that, what no file refers to. */
  readonly strayChunks: number;
  readonly strayBytes: number;
  /** Of that, what was there before this peer watched: it is deleted by an order alone. */
  readonly oldChunks: number;
  readonly oldBytes: number;
  /** Since when the first of them is known. */
  readonly oldest: string | null;
}

export interface GarbageReply {
  /** Deletions that peers have not acknowledged. */
  readonly waiting: readonly WaitingReply[];
  readonly held: readonly HeldReply[];
  /** Since when this peer has known what all others hold; null: one has not told it yet. */
  readonly watched: string | null;
  /** There is so much that no file refers to that a catalog may have been lost: it is deleted by an order alone. */
  readonly looksLost: boolean;
  /** Members whose word is lacking before anything is deleted. */
  readonly awaited: readonly string[];
  /** What no file refers to is deleted when it has been known for so long. */
  readonly graceMs: number;
}

export interface GarbageDone {
  readonly event: 'done';
  /** Whose deletion has begun. */
  readonly chunks: number;
  readonly bytes: number;
  readonly awaited: readonly string[];
}

export type GarbageEvent =
  | {
      readonly event: 'peer';
      readonly peer: string;
      readonly name: string;
      readonly chunks: number;
      readonly bytes: number;
      readonly failure: ProblemReply | null;
    }
  | GarbageDone
  | ({ readonly event: 'error' } & ProblemReply);
