import { StorageError } from '../../src/errors.js';
import type { Floor } from '../floor/floor.js';
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
  /** The source of the comparison, made once. */
  bigFile(): Promise<Original>;
  smallFiles(): Promise<Original>;
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
  readonly works: WorkResult[];
  /** What could not be measured, and why. */
  readonly skipped: string[];
}

/** A fast answer that is wrong is no result. */
export function differs(path: string): StorageError {
  return new StorageError('CORRUPT', `${path} came back different from what was stored.`);
}
