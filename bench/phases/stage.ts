import type { CatalogResult } from '../catalog/result.js';
import { StorageError } from '../../src/errors.js';
import type { Floor } from '../floor/floor.js';
import type { Listing } from '../gateways/gateways.js';
import type { RepairResult, ScrubResult } from '../healing/result.js';
import type { BenchOptions } from '../options.js';
import type { Workshop } from '../workshop.js';
import type { RangeResult } from './range.js';
import type { WorkResult } from './work.js';

/** What all phases share. */
export interface Stage {
  readonly options: BenchOptions;
  readonly workshop: Workshop;
  readonly signal: AbortSignal;
  say(text: string): void;
  /** For the report, beside the figures. */
  remark(text: string): void;
  /** Before peers start: see measure/conditions.ts. */
  touchMemory(): Promise<void>;
  /** The source of the comparison, made once. */
  bigFile(): Promise<Original>;
  smallFiles(): Promise<Original>;
  /** Put and got before anything else, to warm the peers up. */
  warmUpFile(): Promise<Original>;
  /** To be repaired, and scrubbed. */
  healedFile(): Promise<Original>;
}

export interface Original {
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  /** Of what should have come back. @throws StorageError CORRUPT when it differs */
  compare(path: string): Promise<void>;
}

/** What was measured, as it comes. */
export interface Findings {
  floor?: Floor;
  range?: RangeResult;
  repair?: RepairResult;
  scrub?: ScrubResult;
  catalog?: CatalogResult;
  readonly works: WorkResult[];
  readonly listings: Listing[];
  /** What could not be measured, and why. */
  readonly skipped: string[];
  /** What whoever reads the figures must know of this run. */
  readonly remarks: string[];
}

/** A fast answer that is wrong is no result. */
export function differs(path: string): StorageError {
  return new StorageError('CORRUPT', `${path} came back different from what was stored.`);
}
