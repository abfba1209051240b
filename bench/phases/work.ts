import type { Use } from '../measure/use.js';

/** shoal-…: the source peer, reached by something else than its own command. sftp: OpenSSH's, to a folder. */
export const SYSTEMS = ['shoal', 'shoal-http', 'shoal-sftp', 'sftp', 'restic', 'scp'] as const;
export type System = (typeof SYSTEMS)[number];
/** put, get: the big file. cold-…: the warm-up file, first of all. degraded: get with two peers dead. */
export type WorkName = 'cold-put' | 'cold-get' | 'put' | 'get' | 'degraded' | 'put-small' | 'get-small';

/** One line of the result. */
export interface WorkResult extends Use {
  readonly system: System;
  readonly work: WorkName;
  readonly files: number;
  readonly bytes: number;
  /** Shoal's only. */
  readonly sourcePeakBytes?: number;
}

/** Enough for the slowest disk, and an end for whatever hangs. */
export function timeoutFor(bytes: number, files: number): number {
  const leastBytesPerSecond = 4e6;
  const leastFilesPerSecond = 10;
  return 60_000 + Math.ceil(1000 * (bytes / leastBytesPerSecond + files / leastFilesPerSecond));
}
