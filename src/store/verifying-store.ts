import type {
  ChunkHeader,
  ChunkStore,
  ChunkSummary,
  GetOptions,
  ListOptions,
  PutOptions,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../chunk/chunk-store.js';
import type { ChunkId, UserId } from '../chunk/ids.js';
import { segmentIsIntact, type ChunkShape, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { askedSegments } from './asked-segments.js';

/** Checks every segment that a get yields, for whoever has no seal to check: repair, scrub, audit. */
export class VerifyingStore implements ChunkStore {
  readonly #store: ChunkStore;

  /** @param store becomes this one's: closing this closes it */
  constructor(store: ChunkStore) {
    this.#store = store;
  }

  put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored> {
    return this.#store.put(header, source, options);
  }

  async get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    const found = await this.#store.get(id, options);
    const asked = askedSegments(found.shape, options.segments);
    return { ...found, segments: verified(id, found.shape, asked, found.segments) };
  }

  has(ids: readonly ChunkId[], options: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>> {
    return this.#store.has(ids, options);
  }

  delete(
    owner: UserId,
    ids: readonly ChunkId[],
    options: { readonly signal: AbortSignal; readonly authorization?: Uint8Array },
  ): Promise<void> {
    return this.#store.delete(owner, ids, options);
  }

  list(options: ListOptions): AsyncIterable<ChunkSummary> {
    return this.#store.list(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

/** @throws StorageError CORRUPT naming the segment that is wrong, out of order or missing */
async function* verified(
  id: ChunkId,
  shape: ChunkShape,
  asked: readonly number[],
  segments: AsyncIterable<Segment>,
): AsyncGenerator<Segment, void, undefined> {
  let position = 0;
  for await (const segment of segments) {
    const expected = asked[position];
    if (segment.index !== expected) throw corrupt(id, expected, `segment ${String(segment.index)} came in its place`);
    if (!segmentIsIntact(shape, segment)) throw corrupt(id, expected, 'its bytes do not match its hash');
    position += 1;
    yield segment;
  }
  if (position < asked.length) throw corrupt(id, asked[position], 'it is missing');
}

function corrupt(id: ChunkId, segment: number | undefined, how: string): StorageError {
  const which = segment === undefined ? 'The end' : `Segment ${String(segment)}`;
  return new StorageError('CORRUPT', `${which} of chunk ${id.slice(0, 12)}… is damaged: ${how}. Run a repair.`);
}
