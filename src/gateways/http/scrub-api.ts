/**
 * Scrubs of this peer's chunks. Types only, so that the command line and browsers can import them.
 *
 *   GET  /v1/scrub       → ScrubReply
 *   POST /v1/scrub  {}   → ScrubEvent lines: reads everything once; closing the connection ends it, and what was done stays
 */
import type { ScrubTotals } from '../../healing/scrub-report.js';
import type { ProblemReply } from './api.js';

export interface ScrubReply {
  /** off: the rate is 0, and only who asks gets a scrub. asked: somebody has. */
  readonly phase: 'off' | 'waiting' | 'reading' | 'asked';
  /** Every chunk is read once in so many. */
  readonly days: number;
  readonly bytesPerSecond: number;
  /** When the chunk was read that was read longest ago; null when some never were, or there is none. */
  readonly oldestRead: string | null;
  /** When files, rows and records were last compared with each other; null: never. */
  readonly surveyed: string | null;
  /** Since the process began. */
  readonly totals: ScrubTotals;
  /** The same in words: "3 segments (384 KiB) healed, moved 1.5 MiB"; empty when nothing was mended. */
  readonly words: string;
  /** Chunks that could not be mended yet. */
  readonly damaged: number;
  /** The newest of them. */
  readonly damages: readonly {
    readonly chunk: string;
    readonly reason: string;
    readonly found: string;
    readonly tries: number;
    readonly nextTry: string;
  }[];
}

export interface ScrubDone {
  readonly event: 'done';
  /** Of this scrub. */
  readonly totals: ScrubTotals;
  readonly words: string;
  /** Chunks that are damaged still. */
  readonly damaged: number;
}

/** `progress` tells of the bytes since the last one. */
export type ScrubEvent =
  | { readonly event: 'begin'; readonly chunks: number; readonly bytes: number }
  | { readonly event: 'progress'; readonly bytes: number }
  | ScrubDone
  | ({ readonly event: 'error' } & ProblemReply);
