/**
 * Audits of other peers, and what is repaired of what they lost. Types only, so that the command line and browsers can
 * import them.
 *
 *   GET  /v1/audits             → AuditsReply
 *   POST /v1/audits  {audits}   → AuditEvent lines: so many now, one after the other
 *   GET  /v1/repairs            → RepairsReply
 *   POST /v1/repairs {}         → RepairEvent lines: all that can be repaired now
 *
 * Closing the connection ends it; what was done stays. Needs no unlocked user.
 */
import type { ProblemReply } from './api.js';

export type AuditCounts = Readonly<Record<'passed' | 'missing' | 'corrupt' | 'unreachable' | 'stalled', number>>;

export interface AuditsReply {
  /** In the background; 0: none. */
  readonly perHour: number;
  /** Chunks that were found wrong, twice, and are not repaired yet. */
  readonly faults: number;
  /** Audits that wait for their second look. */
  readonly suspects: number;
  readonly peers: readonly {
    readonly id: string;
    readonly name: string;
    readonly counts: AuditCounts;
    readonly trusted: boolean;
    /** Passed ones since the last that was not; who is distrusted needs `trustedAfter` of them. */
    readonly streak: number;
    /** RFC 3339; null: not since this peer knows it. */
    readonly answered: string | null;
    /** Silence that this peer has witnessed. */
    readonly silentMs: number;
    /** Silent for longer than the grace period: its chunks are rebuilt elsewhere. */
    readonly gone: boolean;
  }[];
  readonly trustedAfter: number;
  /** The last ones. */
  readonly newest: readonly AuditReply[];
}

export interface AuditReply {
  readonly at: string;
  readonly peer: string;
  readonly name: string;
  readonly chunk: string;
  readonly segment: number;
  readonly outcome: keyof AuditCounts;
}

export interface AuditsDone {
  readonly event: 'done';
  readonly audits: number;
  readonly counts: AuditCounts;
  /** Names of the peers that are distrusted now. */
  readonly distrusted: readonly string[];
}

export type AuditEvent =
  ({ readonly event: 'audit' } & AuditReply) | AuditsDone | ({ readonly event: 'error' } & ProblemReply);

/** How the stripes that this peer knows stood. */
export interface SurveyReply {
  readonly stripes: number;
  /** All chunks at peers that can be counted on. */
  readonly whole: number;
  readonly degraded: number;
  /** One more loss and they cannot be rebuilt. */
  readonly atRisk: number;
  /** They cannot be rebuilt now. */
  readonly lost: number;
  readonly at: string;
}

export interface RepairsReply {
  /** Bytes in a second that repairs begun here may move; 0: none are begun. */
  readonly bytesPerSecond: number;
  /** null: not looked yet. */
  readonly survey: SurveyReply | null;
  readonly queued: { readonly stripes: number; readonly chunks: number; readonly bytes: number };
  /** null when nothing is begun here. */
  readonly secondsLeft: number | null;
  /** Chunks of whole stripes that belong to another peer since the members changed. */
  readonly rebalance: { readonly stripes: number; readonly bytes: number; readonly secondsLeft: number | null };
  readonly running: number;
  /** Why the last attempt left something; null when nothing is left. */
  readonly reason: string | null;
  /** Since the process began. */
  readonly totals: {
    readonly chunks: number;
    readonly failedChunks: number;
    /** Rebuilt in the own store, whoever asked for it, and what that moved. */
    readonly rebuiltChunks: number;
    readonly movedBytes: number;
    /** Moved to where they belong since the members changed. */
    readonly rebalancedChunks: number;
    readonly droppedChunks: number;
  };
}

export interface RepairsDone {
  readonly event: 'done';
  readonly stripes: number;
  readonly rebuilt: number;
  readonly copied: number;
  readonly found: number;
  readonly left: number;
  readonly movedBytes: number;
  /** Of those that are left, each once. */
  readonly reasons: readonly string[];
  /** In words. */
  readonly words: string;
}

export type RepairEvent =
  | { readonly event: 'begin'; readonly stripes: number; readonly survey: SurveyReply }
  | {
      readonly event: 'stripe';
      readonly stripe: string;
      readonly rebuilt: number;
      readonly copied: number;
      readonly found: number;
      readonly left: number;
      readonly movedBytes: number;
      readonly reason: string | null;
    }
  | RepairsDone
  | ({ readonly event: 'error' } & ProblemReply);
