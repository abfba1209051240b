import { describeChunk, segmentCount, segmentIsIntact, type ChunkShape, type Segment } from '../chunk/segments.js';
import type { ChunkId } from '../chunk/ids.js';
import { reconstructRow } from '../erasure/reed-solomon.js';
import { assert, StorageError } from '../errors.js';
import { REBUILD_ROWS, SEGMENT_BYTES } from '../limits.js';
import { RowSources, type RowSourcesOptions } from './row-sources.js';

export interface RebuildOptions extends RowSourcesOptions {
  readonly signal: AbortSignal;
}

/** A chunk in memory, and what its id commits to. */
export interface RebuiltChunk {
  readonly id: ChunkId;
  readonly shape: ChunkShape;
  readonly content: Uint8Array;
}

/**
 * Makes some segments of a chunk anew, each from the same segment of k other chunks: k × as many bytes move, whatever the
 * rest of the chunk is like. In memory are REBUILD_ROWS segments of k chunks. Needs no key: coding is over sealed bytes.
 *
 * @param wanted segments: ascending; shape: verified, of the chunk, by which what comes out is checked
 * @throws StorageError UNAVAILABLE when fewer than k others can be had, CORRUPT when the chunks of the stripe were never
 *   coded from each other; `signal.reason` on abort
 */
export async function* rebuildSegments(
  options: RebuildOptions,
  { segments, shape }: { readonly segments: readonly number[]; readonly shape?: ChunkShape },
): AsyncGenerator<Segment, void, undefined> {
  const { stripe, index, signal } = options;
  const sources = new RowSources(options);
  for (let at = 0; at < segments.length; at += REBUILD_ROWS) {
    for (const [row, others] of await sources.bring(segments.slice(at, at + REBUILD_ROWS), signal)) {
      const [bytes] = reconstructRow(stripe.k, stripe.m, others, [index]);
      assert(bytes !== undefined, 'one row was asked for');
      const segment = { index: row, bytes };
      if (shape !== undefined && !segmentIsIntact(shape, segment)) throw unfit(options);
      yield segment;
      signal.throwIfAborted();
    }
  }
}

/**
 * Makes a whole chunk anew, of which nothing need be known but its id: for a peer that has lost its hash list, or never had
 * the chunk. It is in memory whole.
 *
 * @throws StorageError as rebuildSegments
 */
export async function rebuildChunk(options: RebuildOptions): Promise<RebuiltChunk> {
  const { stripe, index } = options;
  const content = new Uint8Array(stripe.chunkBytes);
  const segments = Array.from({ length: segmentCount(stripe.chunkBytes) }, (_, row) => row);
  for await (const segment of rebuildSegments(options, { segments })) {
    content.set(segment.bytes, segment.index * SEGMENT_BYTES);
  }
  const { id, ...shape } = describeChunk(content);
  if (id !== stripe.chunks[index]) throw unfit(options);
  return { id, shape, content };
}

/** Every source was checked against its own id, so it is the ids that do not belong together: their owner made them so. */
function unfit({ stripe, index }: RebuildOptions): StorageError {
  return new StorageError(
    'CORRUPT',
    `Chunk ${String(index)} of stripe ${stripe.id.slice(0, 12)}… does not follow from the others: its owner stored it so, and nobody can rebuild it.`,
  );
}
