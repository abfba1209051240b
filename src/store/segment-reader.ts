import type { FileHandle } from 'node:fs/promises';
import { segmentIsIntact, segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import { allSegments } from './asked-segments.js';
import { segmentRuns, type SegmentRun } from './segment-runs.js';

/** The bytes of a run, or as many as the file has. */
async function readRun(handle: FileHandle, run: SegmentRun): Promise<Uint8Array> {
  const wanted = run.end - run.start;
  const buffer = Buffer.allocUnsafeSlow(wanted);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await handle.read(buffer, filled, wanted - filled, run.start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The segments of a run, cut from its bytes without copying; those that the file does not have whole are left out. */
function* cut(shape: ChunkShape, run: SegmentRun, bytes: Uint8Array): Generator<Segment> {
  for (let index = run.first; index <= run.last; index++) {
    const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
    if (end - run.start > bytes.length) return;
    yield { index, bytes: bytes.subarray(start - run.start, end - run.start) };
  }
}

/**
 * The asked segments of a file, read ahead by one run. It ends early where the file does. The handle stays the caller's.
 *
 * @param indices ascending, without duplicates
 */
export async function* readSegments(
  handle: FileHandle,
  shape: ChunkShape,
  indices: readonly number[],
): AsyncGenerator<Segment, void, undefined> {
  let ahead: Promise<Uint8Array> | undefined;
  const runs = segmentRuns(shape, indices);
  for (const [position, run] of runs.entries()) {
    const bytes = await (ahead ?? readRun(handle, run));
    const next = runs[position + 1];
    ahead = next === undefined ? undefined : readRun(handle, next);
    // Whoever leaves early never waits for the read ahead, and its failure then concerns nobody.
    ahead?.catch(() => undefined);
    yield* cut(shape, run, bytes);
    if (bytes.length < run.end - run.start) return;
  }
}

/** Which segments a partial file lacks or holds damaged, found by hashing all of it. */
export async function missingSegments(handle: FileHandle, shape: ChunkShape): Promise<readonly number[]> {
  const missing = new Set(allSegments(shape));
  if ((await handle.stat()).size === 0) return [...missing];
  for await (const segment of readSegments(handle, shape, [...missing])) {
    if (segmentIsIntact(shape, segment)) missing.delete(segment.index);
  }
  return [...missing];
}
