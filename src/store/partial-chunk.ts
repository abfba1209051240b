import type { FileHandle } from 'node:fs/promises';
import type { ChunkId } from '../chunk/ids.js';
import { segmentCount, segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import type { ChunkFiles } from './chunk-files.js';
import { missingSegments, type Reading } from './segment-reader.js';
import { SegmentWriter } from './segment-writer.js';

/** The file of a large chunk on its way. Which segments it holds is nowhere written down: their hashes tell. */
export class PartialChunk {
  readonly missing: readonly number[];
  readonly missingBytes: number;
  readonly #shape: ChunkShape;
  readonly #handle: FileHandle;
  readonly #writer: SegmentWriter;
  #received = 0;

  private constructor({ handle, shape, memory }: Reading, missing: readonly number[]) {
    this.missing = missing;
    this.#shape = shape;
    this.#handle = handle;
    this.#writer = new SegmentWriter(handle, shape, memory);
    let missingBytes = 0;
    for (const index of missing) {
      const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
      missingBytes += end - start;
    }
    this.missingBytes = missingBytes;
  }

  static async open(files: ChunkFiles, id: ChunkId, shape: ChunkShape): Promise<PartialChunk> {
    const handle = await files.openPartial(id);
    try {
      // A process that ended between a whole last block and `finish` left bytes behind the end.
      if ((await handle.stat()).size > shape.bytes) await handle.truncate(shape.bytes);
      const reading = { handle, shape, memory: files.memory };
      return new PartialChunk(reading, await missingSegments(reading));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Nothing in it is worth keeping for the next put. */
  get empty(): boolean {
    return this.#received === 0 && this.missing.length === segmentCount(this.#shape.bytes, this.#shape.segmentBytes);
  }

  write(segment: Segment): Promise<void> | undefined {
    this.#received += 1;
    return this.#writer.write(segment);
  }

  /** Writes what has been gathered. */
  async flush(): Promise<void> {
    await this.#writer.finish();
  }

  /** Resolves when the bytes would survive a power cut. */
  async sync(): Promise<void> {
    await this.#writer.finish();
    await this.#handle.datasync();
  }

  /** Idempotent. What has been gathered but not written is let go. */
  async close(): Promise<void> {
    await this.#writer.abandon();
    await this.#handle.close();
  }
}
