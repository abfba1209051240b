import { segmentRange, type ChunkShape } from '../chunk/segments.js';
import { DISK_IO_BYTES } from '../limits.js';

/** Adjacent segments that are read at once. */
export interface SegmentRun {
  readonly first: number;
  readonly last: number;
  /** Where the run lies in the chunk. */
  readonly start: number;
  readonly end: number;
}

/** @param indices ascending, without duplicates */
export function segmentRuns(shape: ChunkShape, indices: readonly number[]): readonly SegmentRun[] {
  const runs: SegmentRun[] = [];
  for (const index of indices) {
    const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
    const run = runs.at(-1);
    if (run?.end === start && end - run.start <= DISK_IO_BYTES) {
      runs[runs.length - 1] = { ...run, last: index, end };
    } else {
      runs.push({ first: index, last: index, start, end });
    }
  }
  return runs;
}
