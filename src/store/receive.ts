import type { ChunkHeader, SegmentSource } from '../chunk/chunk-store.js';
import { segmentIsIntact, verifyShape, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { MAX_LABEL_BYTES, MAX_RESEND_ROUNDS } from '../limits.js';
import { abortable } from './abortable.js';

/** What every store refuses before it asks for a byte. */
export function verifyHeader(header: ChunkHeader): void {
  verifyShape(header.id, header);
  if (header.label.length > MAX_LABEL_BYTES) {
    throw new StorageError(
      'LIMIT_EXCEEDED',
      `The label of chunk ${header.id.slice(0, 12)}… has ${String(header.label.length)} bytes; at most ${String(MAX_LABEL_BYTES)} are kept.`,
    );
  }
}

export interface Receiver {
  /** Takes an intact segment; an answer that is a promise holds the source back until it resolves. */
  accept(segment: Segment): Promise<void> | undefined;
  readonly signal: AbortSignal;
}

/**
 * Asks `source` for the missing segments and hands the intact ones on, asking again for those that arrived corrupt.
 *
 * @returns how many were asked for again
 * @throws StorageError CORRUPT when the source does not yield what it was asked for
 */
export async function receiveSegments(
  header: ChunkHeader,
  missing: readonly number[],
  source: SegmentSource,
  receiver: Receiver,
): Promise<number> {
  let resent = 0;
  let wanted = missing;
  for (let round = 0; wanted.length > 0; round++) {
    if (round > MAX_RESEND_ROUNDS) {
      throw corrupt(header, `${String(wanted.length)} segments arrived corrupt ${String(round)} times in a row`);
    }
    if (round > 0) resent += wanted.length;
    wanted = await receiveRound(header, wanted, source, receiver);
  }
  return resent;
}

/** @returns the segments that arrived corrupt */
async function receiveRound(
  header: ChunkHeader,
  wanted: readonly number[],
  source: SegmentSource,
  receiver: Receiver,
): Promise<readonly number[]> {
  const damaged: number[] = [];
  let position = 0;
  for await (const segment of abortable(source(wanted), receiver.signal)) {
    if (segment.index !== wanted[position]) throw corrupt(header, `segment ${String(segment.index)} came unasked`);
    position += 1;
    if (segmentIsIntact(header, segment)) {
      const taken = receiver.accept(segment);
      if (taken !== undefined) await taken;
    } else {
      damaged.push(segment.index);
    }
  }
  if (position < wanted.length) throw corrupt(header, 'the source ended early');
  return damaged;
}

function corrupt(header: ChunkHeader, what: string): StorageError {
  return new StorageError('CORRUPT', `Chunk ${header.id.slice(0, 12)}… could not be received: ${what}.`);
}
