import type { ChunkHeader, ChunkStore } from '../chunk/chunk-store.js';
import type { ChunkId, PeerId } from '../chunk/ids.js';
import { openLabel, type ReadLabel } from '../chunk/label.js';
import { segmentCount, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import type { PeerLinks } from './peer-links.js';

export interface PullRequest {
  readonly chunk: ChunkId;
  readonly source: PeerId;
  /** The owner's signed label, as whoever asks has it. */
  readonly label: Uint8Array;
  /** The owner lets whoever asks store this stripe. */
  readonly granted: boolean;
}

/**
 * Fetches a chunk from another peer into the own store: repair and drain. The store checks every segment against the
 * chunk id, so a source that lies is found out; the owner's label says that the chunk is wanted at all.
 *
 * Without a grant the owner has not been asked, so what any member can make this peer store is bounded: one chunk of a
 * stripe that its owner made.
 *
 * @throws StorageError PERMISSION_DENIED when the label does not name the chunk, or for a second chunk of its stripe without
 * a grant, and what both stores say
 */
export async function pullChunk(
  request: PullRequest,
  { links, local, signal }: { readonly links: PeerLinks; readonly local: ChunkStore; readonly signal: AbortSignal },
): Promise<ChunkHeader> {
  const label = openLabel(request.label);
  if (!label.chunks.includes(request.chunk)) {
    throw new StorageError('PERMISSION_DENIED', 'The label does not name this chunk.');
  }
  if (!request.granted) await refuseSecond(request.chunk, label, { local, signal });
  const source = links.store(request.source);
  const { shape, segments } = await source.get(request.chunk, { signal });
  if (shape.bytes !== label.chunkBytes) {
    await segments[Symbol.asyncIterator]().return?.();
    throw new StorageError('PERMISSION_DENIED', 'The label gives this chunk another length.');
  }
  const header: ChunkHeader = { ...shape, id: request.chunk, owner: label.owner, label: request.label };
  const opened: { whole?: AsyncIterator<Segment> } = { whole: segments[Symbol.asyncIterator]() };
  try {
    await local.put(header, sourceOf, { signal });
  } finally {
    // Not asked for at all when the chunk is here already.
    await opened.whole?.return?.();
  }

  async function* sourceOf(missing: readonly number[]): AsyncGenerator<Segment> {
    const all = missing.length === segmentCount(shape.bytes, shape.segmentBytes);
    const { whole: first } = opened;
    delete opened.whole;
    if (all && first !== undefined) {
      yield* { [Symbol.asyncIterator]: () => first };
      return;
    }
    await first?.return?.();
    yield* (await source.get(request.chunk, { signal, segments: missing })).segments;
  }

  return header;
}

/** @throws StorageError PERMISSION_DENIED when another chunk of the stripe is here */
export async function refuseSecond(
  chunk: ChunkId,
  label: ReadLabel,
  { local, signal }: { readonly local: ChunkStore; readonly signal: AbortSignal },
): Promise<void> {
  const here = await local.has(label.chunks, { signal });
  if (here.size === 0 || here.has(chunk)) return;
  throw new StorageError(
    'PERMISSION_DENIED',
    "This peer holds a chunk of the stripe already, and takes a second one only with a grant of the stripe's owner.",
  );
}
