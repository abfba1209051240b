/**
 * Stripes of which little is needed. Types only, so that the command line and browsers can import them.
 *
 *   GET  /v1/compaction             → CompactionReply; needs no unlocked user
 *   POST /v1/compaction {giveBack}  → CompactionEvent lines: what is needed of all of them is stored anew now
 *
 * Closing the connection ends it; what is half moved stays where it was.
 */
import type { ProblemReply } from './api.js';

export interface CompactionReply {
  /** When this peer last looked for them; null: not since it began. */
  readonly looked: string | null;
  /** What it found then, of the users who were unlocked here. */
  readonly stripes: number;
  /** Sealed bytes of them that are needed. */
  readonly liveBytes: number;
  /** And that are not. */
  readonly deadBytes: number;
  /** Stripes that nobody needs any more, and that are not given back yet. */
  readonly waiting: number;
  /** What was moved is given back when nobody can be reading there for so long. */
  readonly graceMs: number;
}

export interface CompactedReply {
  /** Stripes of which nothing is needed any more. */
  readonly stripes: number;
  readonly versions: number;
  /** Sealed bytes that were stored anew. */
  readonly movedBytes: number;
  /** And, of those stripes, that were not needed. */
  readonly deadBytes: number;
  /** Stripes that stay as they are: in use, or not to be read now. */
  readonly passedOver: number;
}

export interface CompactionDone extends CompactedReply {
  readonly event: 'done';
  readonly waiting: number;
}

export type CompactionEvent =
  ({ readonly event: 'progress' } & CompactedReply) | CompactionDone | ({ readonly event: 'error' } & ProblemReply);
