import { segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import { allSegments } from './asked-segments.js';

/** A chunk that is put together in memory from the segments that have come so far. */
export class Assembly {
  readonly content: Uint8Array;
  readonly #shape: ChunkShape;
  readonly #missing: Set<number>;

  constructor(shape: ChunkShape) {
    this.#shape = shape;
    this.content = new Uint8Array(shape.bytes);
    this.#missing = new Set(allSegments(shape));
  }

  /** Ascending. */
  get missing(): readonly number[] {
    return [...this.#missing];
  }

  get empty(): boolean {
    return this.#missing.size === allSegments(this.#shape).length;
  }

  add(segment: Segment): void {
    const [start] = segmentRange(this.#shape.bytes, segment.index, this.#shape.segmentBytes);
    this.content.set(segment.bytes, start);
    this.#missing.delete(segment.index);
  }
}
