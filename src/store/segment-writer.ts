import type { FileHandle } from 'node:fs/promises';
import { segmentRange, type ChunkShape, type Segment } from '../chunk/segments.js';
import { DISK_IO_BYTES } from '../limits.js';

async function writeFully(handle: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  const { bytesWritten } = await handle.writev(buffers, position);
  if (bytesWritten === bytes) return;
  // A short write is rare (a disk about to be full), so what it left is copied rather than cut out of the list.
  const rest = Buffer.concat(buffers).subarray(bytesWritten);
  for (let done = 0; done < rest.length;) {
    const written = await handle.write(rest, done, rest.length - done, position + bytesWritten + done);
    done += written.bytesWritten;
  }
}

/** Writes segments to their places in a file, adjacent ones at once; one write is under way while the next is gathered. */
export class SegmentWriter {
  readonly #handle: FileHandle;
  readonly #shape: ChunkShape;
  #gathered: Uint8Array[] = [];
  #start = 0;
  #end = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, shape: ChunkShape) {
    this.#handle = handle;
    this.#shape = shape;
  }

  /** @returns a promise when the disk is behind; the next write waits for it */
  write(segment: Segment): Promise<void> | undefined {
    const [start, end] = segmentRange(this.#shape.bytes, segment.index, this.#shape.segmentBytes);
    if (start !== this.#end && this.#gathered.length > 0) {
      return this.#flush().then(() => this.#gather(segment.bytes, start, end));
    }
    return this.#gather(segment.bytes, start, end);
  }

  /** Resolves when every byte is with the operating system. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  #gather(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    if (this.#gathered.length === 0) this.#start = start;
    this.#gathered.push(bytes);
    this.#end = end;
    return this.#end - this.#start >= DISK_IO_BYTES ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#gathered.length === 0) return;
    this.#writing = writeFully(this.#handle, this.#gathered, this.#start);
    // Seen by the next flush or by finish(), whichever comes first.
    this.#writing.catch(() => undefined);
    this.#gathered = [];
  }
}
