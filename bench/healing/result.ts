import type { Use } from '../measure/use.js';

/** What was rebuilt, or read, and what that took. */
export interface Healed {
  /** Segments or chunks. */
  readonly count: number;
  /** Of them. */
  readonly bytes: number;
  /** That other peers sent, as the peer that rebuilds counts them. */
  readonly movedBytes: number;
}

export interface RepairResult extends Use, Healed {
  /** Of the stripes, where peers did not let all be repaired. */
  readonly left: number;
}

export interface DiskRead {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface ScrubResult {
  /** Of a store in which nothing is wrong. */
  readonly scrub: Use & { readonly chunks: number; readonly bytes: number };
  /** The same files, read past the page cache where the file system lets us, and not looked at. */
  readonly disk: DiskRead;
  /** Rotten segments, one in each file. */
  readonly segments: Healed;
  /** Whose files were gone. */
  readonly chunks: Healed;
}
