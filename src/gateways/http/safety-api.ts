/**
 * How safe files are. Types only, so that the command line and browsers can import them.
 *
 *   GET  /v1/safety?files=N     → SafetyReply, naming N files that are lost or at risk; of the selected user
 *   GET  /v1/holdings           → HoldingsReply; needs no unlocked user
 *   POST /v1/holdings {}        → HoldingsEvent lines: compares now
 */
import type { ProblemReply } from './api.js';

export interface FilesReply {
  readonly files: number;
  readonly bytes: number;
}

export interface SafetyReply {
  readonly stripes: number;
  /** Stripes that lack a chunk, for now or for good. */
  readonly degraded: number;
  /** Computed from what is stored at peers that answer: this many more peers may fail without loss; null without stripes. */
  readonly mayFail: number | null;
  /** Stripes whose record is not to be had here: which peers hold their chunks is not known. Degraded too. */
  readonly lost: number;
  /** Every file is in one of these: see docs/healing.md. */
  readonly files: {
    readonly healthy: FilesReply;
    /** Something is missing, and any machine may fail. */
    readonly degraded: FilesReply;
    /** There is a machine that may not fail now. */
    readonly atRisk: FilesReply;
    /** They cannot be read now. */
    readonly lost: FilesReply;
    /** Of all of them: a chunk is to be rebuilt. Not while its machine is merely down. */
    readonly waiting: FilesReply;
  };
  /** Files that are lost, then those at risk; STATUS_WORST_FILES of them, or as many as were asked for. */
  readonly worst: readonly WorstFileReply[];
  /** So many whole zones may fail, whichever they are; a machine without a zone is one of its own. */
  readonly zonesMayFail: number | null;
  readonly machines: readonly MachineReply[];
  /** Those that have a name. */
  readonly zones: readonly ZoneReply[];
  /** What waits for repair here, of all users; null where the File Sender has not looked. */
  readonly repairs: {
    readonly stripes: number;
    readonly chunks: number;
    readonly bytes: number;
    /** At the rate of the setting; null when nothing is begun here. */
    readonly secondsLeft: number | null;
  };
  /** RFC 3339: what any of the peers that answer says that it holds was compared then, or later; null: not yet. */
  readonly compared: string | null;
  /** When the files were looked up. */
  readonly at: string;
}

export interface WorstFileReply {
  readonly path: string;
  readonly bytes: number;
  readonly state: 'atRisk' | 'lost';
}

/** A member. */
export interface MachineReply {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  /** gone: silent for the grace period; distrusted: it failed audits. What such a one had is rebuilt elsewhere. */
  readonly standing: 'up' | 'down' | 'gone' | 'distrusted';
  /** null for one that has failed already, or is distrusted. */
  readonly mayFail: boolean | null;
  /** Chunks of all users that the records place there and that it says it does not have, or has damaged. */
  readonly denied: number;
}

export interface ZoneReply {
  readonly zone: string;
  readonly machines: number;
  readonly up: number;
  /** All of its machines at once. */
  readonly mayFail: boolean;
}

/** What peers say that they hold, compared with the records. */
export interface HoldingsReply {
  readonly running: boolean;
  /** Of the peer that was compared longest ago, of those that answer; null: one never was. */
  readonly compared: string | null;
  readonly denied: number;
  readonly peers: readonly {
    readonly id: string;
    readonly name: string;
    readonly compared: string | null;
    readonly denied: number;
  }[];
}

export type HoldingsEvent = ({ readonly event: 'done' } & HoldingsReply) | ({ readonly event: 'error' } & ProblemReply);
