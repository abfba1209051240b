import { segmentCount, type ChunkShape } from '../chunk/segments.js';
import { StorageError } from '../errors.js';

export function allSegments(shape: ChunkShape): readonly number[] {
  return Array.from({ length: segmentCount(shape.bytes, shape.segmentBytes) }, (_, index) => index);
}

/** The segments that a get asks for: all, unless it names some, ascending and without duplicates. */
export function askedSegments(shape: ChunkShape, asked: readonly number[] | undefined): readonly number[] {
  if (asked === undefined) return allSegments(shape);
  const count = segmentCount(shape.bytes, shape.segmentBytes);
  let previous = -1;
  for (const index of asked) {
    if (!Number.isInteger(index) || index <= previous || index >= count) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `Segments are asked for in ascending order, from 0 to ${String(count - 1)}; got ${String(index)}.`,
      );
    }
    previous = index;
  }
  return asked;
}
