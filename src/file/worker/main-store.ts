import type {
  ChunkHeader,
  GetOptions,
  PutOptions,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../../chunk/chunk-store.js';
import type { ChunkId } from '../../chunk/ids.js';
import { segmentCount, segmentRange, type ChunkShape, type Segment } from '../../chunk/segments.js';
import { MAX_CHUNK_BYTES } from '../../limits.js';
import type { ChunkMover } from './context.js';
import type { Remote } from './port.js';
import type { HostCalls } from './protocol.js';

/**
 * The own peer's store, which only the main thread may open, seen from a worker. Chunks cross in memory that both share
 * and that is used again: a fresh buffer for each would make the garbage collector walk the main thread's heap once for
 * every few of them.
 */
export class MainStore implements ChunkMover {
  readonly #host: Remote<HostCalls>;
  readonly #free: Uint8Array[] = [];

  constructor(host: Remote<HostCalls>) {
    this.#host = host;
  }

  async put(header: ChunkHeader, source: SegmentSource, { signal }: PutOptions): Promise<Stored> {
    const shared = this.#take();
    const chunk = shared.subarray(0, header.bytes);
    const all = Array.from({ length: segmentCount(header.bytes) }, (_, index) => index);
    for await (const { index, bytes } of source(all)) chunk.set(bytes, index * header.segmentBytes);
    const stored = await this.#host.putLocal({ header, chunk }, { signal });
    // Only after a success: when it fails or is cancelled, the main thread may still be at work on the bytes.
    this.#free.push(shared);
    return stored;
  }

  async get(id: ChunkId, { signal, segments = [] }: GetOptions): Promise<StoredChunk> {
    const shared = this.#take();
    const { shape, label } = await this.#host.getLocal({ id, segments, into: shared }, { signal });
    return { shape, label, segments: this.#read(shape, segments, shared) };
  }

  /** Each segment lies where it lies in the chunk. They are views: good until the iteration ends. */
  async *#read(shape: ChunkShape, segments: readonly number[], shared: Uint8Array): AsyncGenerator<Segment> {
    try {
      for (const index of segments) {
        yield { index, bytes: shared.subarray(...segmentRange(shape.bytes, index, shape.segmentBytes)) };
      }
    } finally {
      this.#free.push(shared);
    }
  }

  #take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(new SharedArrayBuffer(MAX_CHUNK_BYTES));
  }
}
