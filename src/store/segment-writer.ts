import type { FileHandle } from 'node:fs/promises';
import { segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import { DISK_IO_BYTES } from '../limits.js';
import { roundUp, wholeBlocks, type AlignedMemory } from './aligned-memory.js';

/** @param bytes a multiple of ALIGNMENT_BYTES, like `position` */
async function writeFully(handle: FileHandle, slab: Uint8Array, bytes: number, position: number): Promise<void> {
  for (let done = 0; done < bytes;) {
    const { bytesWritten } = await handle.write(slab, done, bytes - done, position + done);
    // A disk about to be full takes less than it was given, and of direct writes perhaps not a multiple of a block.
    done += wholeBlocks(bytesWritten, bytes - done);
  }
}

/**
 * Writes segments to their places in a file, adjacent ones at once; one write is under way while the next is gathered.
 * Only whole blocks are written, as direct I/O wants it, so a file may end up to a block too late until `finish`.
 */
export class SegmentWriter {
  readonly #handle: FileHandle;
  readonly #shape: ChunkShape;
  readonly #memory: AlignedMemory;
  #slab: Uint8Array | undefined;
  #start = 0;
  #gathered = 0;
  #padded = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, shape: ChunkShape, memory: AlignedMemory) {
    this.#handle = handle;
    this.#shape = shape;
    this.#memory = memory;
  }

  /** The segment's bytes are copied before it returns. @returns a promise when the disk is behind; the next write waits for it */
  write(segment: Segment): Promise<void> | undefined {
    const [start] = segmentRange(this.#shape.bytes, segment.index, this.#shape.segmentBytes);
    const adjacent = start === this.#start + this.#gathered;
    if (adjacent || this.#gathered === 0) return this.#gather(segment.bytes, start);
    const bytes = Uint8Array.from(segment.bytes);
    return this.#flush().then(() => this.#gather(bytes, start));
  }

  /** Resolves when every byte is with the operating system and the file has no byte too many. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
    if (this.#padded) await this.#handle.truncate(this.#shape.bytes);
    this.#padded = false;
  }

  /** Lets go of what was gathered but not written. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => undefined);
    if (this.#slab !== undefined) this.#memory.give(this.#slab);
    this.#slab = undefined;
    this.#gathered = 0;
  }

  #gather(bytes: Uint8Array, start: number): Promise<void> | undefined {
    this.#slab ??= this.#memory.take();
    if (this.#gathered === 0) this.#start = start;
    this.#slab.set(bytes, this.#gathered);
    this.#gathered += bytes.length;
    return this.#gathered + this.#shape.segmentBytes > DISK_IO_BYTES ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const slab = this.#slab;
    if (slab === undefined) return;
    this.#slab = undefined;
    const bytes = roundUp(this.#gathered);
    // The memory held another chunk before; none of that belongs into this file, not even for a moment.
    slab.fill(0, this.#gathered, bytes);
    if (bytes > this.#gathered) this.#padded = true;
    this.#gathered = 0;
    this.#writing = writeFully(this.#handle, slab, bytes, this.#start).finally(() => {
      this.#memory.give(slab);
    });
    // Seen by the next flush or by finish(), whichever comes first.
    this.#writing.catch(() => undefined);
  }
}
