import type { FileHandle } from 'node:fs/promises';
import { segmentIsIntact, segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import { roundUp, type AlignedMemory } from './aligned-memory.js';
import { allSegments } from './asked-segments.js';
import { segmentRuns, type SegmentRun } from './segment-runs.js';

interface ReadAhead {
  readonly slab: Uint8Array;
  /** How many bytes of the run the file has. */
  readonly filled: Promise<number>;
}

/** In whole blocks, as direct I/O wants it: runs begin at a block, and what lies behind their end is not looked at. */
async function fill(handle: FileHandle, run: SegmentRun, slab: Uint8Array): Promise<number> {
  const wanted = run.end - run.start;
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await handle.read(slab, filled, roundUp(wanted) - filled, run.start + filled);
    filled += bytesRead;
    // Less than was asked for, and no whole block: the end of the file.
    if (bytesRead === 0 || filled !== roundUp(filled)) break;
  }
  return Math.min(filled, wanted);
}

/** The segments of a run, cut from its bytes without copying; those that the file does not have whole are left out. */
function* cut(shape: ChunkShape, run: SegmentRun, bytes: Uint8Array): Generator<Segment> {
  for (let index = run.first; index <= run.last; index++) {
    const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
    if (end - run.start > bytes.length) return;
    yield { index, bytes: bytes.subarray(start - run.start, end - run.start) };
  }
}

/** Which segments of which file are read, and into what. */
export interface Reading {
  /** Stays the caller's. */
  readonly handle: FileHandle;
  readonly shape: ChunkShape;
  readonly memory: AlignedMemory;
}

/**
 * The asked segments of a file, read ahead by one run. It ends early where the file does. A segment's bytes are good until
 * the next is asked for.
 *
 * @param indices ascending, without duplicates
 */
export async function* readSegments(
  { handle, shape, memory }: Reading,
  indices: readonly number[],
): AsyncGenerator<Segment, void, undefined> {
  const start = (run: SegmentRun | undefined): ReadAhead | undefined => {
    if (run === undefined) return undefined;
    const slab = memory.take();
    const filled = fill(handle, run, slab);
    // It may fail while whoever reads is busy with an earlier segment, and nobody waits for it yet.
    filled.catch(() => undefined);
    return { slab, filled };
  };
  const runs = segmentRuns(shape, indices);
  let ahead = start(runs[0]);
  try {
    for (const [position, run] of runs.entries()) {
      const current = ahead;
      if (current === undefined) return;
      try {
        const filled = await current.filled;
        ahead = start(runs[position + 1]);
        yield* cut(shape, run, current.slab.subarray(0, filled));
        if (filled < run.end - run.start) return;
      } finally {
        if (ahead === current) ahead = undefined;
        memory.give(current.slab);
      }
    }
  } finally {
    // Whoever leaves early does not care how the read ahead ends, but the system may still be writing into the slab.
    await ahead?.filled.catch(() => undefined);
    if (ahead !== undefined) memory.give(ahead.slab);
  }
}

/** Which segments a partial file lacks or holds damaged, found by hashing all of it. */
export async function missingSegments(reading: Reading): Promise<readonly number[]> {
  const missing = new Set(allSegments(reading.shape));
  if ((await reading.handle.stat()).size === 0) return [...missing];
  for await (const segment of readSegments(reading, [...missing])) {
    if (segmentIsIntact(reading.shape, segment)) missing.delete(segment.index);
  }
  return [...missing];
}

/**
 * As missingSegments, of a file that was whole once: a place that the disk cannot read counts as missing, and the segments
 * around it do not.
 */
export async function unsoundSegments(reading: Reading): Promise<readonly number[]> {
  try {
    return await missingSegments(reading);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const unsound: number[] = [];
  for (const index of allSegments(reading.shape)) if (!(await isSound(reading, index))) unsound.push(index);
  return unsound;
}

async function isSound(reading: Reading, index: number): Promise<boolean> {
  try {
    for await (const segment of readSegments(reading, [index])) return segmentIsIntact(reading.shape, segment);
    return false;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

/** What Linux, and others, say of a bad place of a disk. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EIO' || error.code === 'EILSEQ');
}
