import type {
  GetOptions,
  PutOptions,
  SegmentSource,
  Stored,
  StoredChunk,
  ChunkHeader,
} from '../../chunk/chunk-store.js';
import type { ChunkId } from '../../chunk/ids.js';
import { segmentCount, type Segment } from '../../chunk/segments.js';
import type { ChunkMover } from './context.js';
import type { Remote } from './port.js';
import type { HostCalls } from './protocol.js';

/** The own peer's store, which only the main thread may open, seen from a worker. Chunks cross whole, without copying. */
export class MainStore implements ChunkMover {
  readonly #host: Remote<HostCalls>;

  constructor(host: Remote<HostCalls>) {
    this.#host = host;
  }

  async put(header: ChunkHeader, source: SegmentSource, { signal }: PutOptions): Promise<Stored> {
    const chunk = new Uint8Array(header.bytes);
    const all = Array.from({ length: segmentCount(header.bytes) }, (_, index) => index);
    for await (const { index, bytes } of source(all)) chunk.set(bytes, index * header.segmentBytes);
    return this.#host.putLocal({ header, chunk }, { signal, transfer: [chunk.buffer] });
  }

  async get(id: ChunkId, { signal, segments = [] }: GetOptions): Promise<StoredChunk> {
    const found = await this.#host.getLocal({ id, segments }, { signal });
    return { shape: found.shape, label: found.label, segments: each(found.segments) };
  }
}

async function* each(segments: readonly Segment[]): AsyncGenerator<Segment> {
  yield* segments;
}
