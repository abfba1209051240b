import { segmentsOf, type GetOptions, type StoredChunk } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import type { ChunkShape, Segment } from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import { abortable } from './abortable.js';
import { askedSegments } from './asked-segments.js';
import { unknownChunk } from './chunk-checks.js';
import type { ChunkFiles } from './chunk-files.js';
import type { IndexedChunk } from './chunk-lookup.js';
import { readSegments } from './segment-reader.js';

/** Where a chunk is looked up, and where its bytes lie. */
export interface ChunkPlaces {
  readonly index: { find(id: ChunkId): IndexedChunk | undefined; has(id: ChunkId): boolean };
  readonly files: Pick<ChunkFiles, 'openChunk' | 'memory'>;
}

/** A chunk of the disk; see ChunkStore.get. */
export function getStored(places: ChunkPlaces, id: ChunkId, { signal, segments }: GetOptions): StoredChunk {
  const found = places.index.find(id);
  if (found === undefined) throw unknownChunk(id);
  const { shape, label, content } = found;
  const asked = askedSegments(shape, segments);
  const bytes =
    content === undefined
      ? readFile(places, { id, shape, asked })
      : segmentsOf(wholeContent(id, shape, content), shape.segmentBytes)(asked);
  return { shape, label, segments: abortable(bytes, signal) };
}

interface Asked {
  readonly id: ChunkId;
  readonly shape: ChunkShape;
  readonly asked: readonly number[];
}

async function* readFile({ index, files }: ChunkPlaces, { id, shape, asked }: Asked): AsyncGenerator<Segment> {
  const doing = `Reading chunk ${id.slice(0, 12)}…`;
  const handle = await files.openChunk(id, asked.length * shape.segmentBytes).catch((error: unknown) => {
    const wrapped = wrapError(error, doing);
    if (wrapped.code !== 'NOT_FOUND') throw wrapped;
    throw index.has(id) ? damaged(id, 'its file is missing') : unknownChunk(id);
  });
  try {
    let yielded = 0;
    for await (const segment of readSegments({ handle, shape, memory: files.memory }, asked)) {
      yield segment;
      yielded += 1;
    }
    if (yielded < asked.length) throw damaged(id, 'its file is cut off');
  } catch (error) {
    throw wrapError(error, doing);
  } finally {
    await handle.close();
  }
}

function damaged(id: ChunkId, how: string): StorageError {
  return new StorageError('CORRUPT', `Chunk ${id.slice(0, 12)}… is damaged on this disk: ${how}. Run a repair.`);
}

function wholeContent(id: ChunkId, shape: ChunkShape, content: Uint8Array): Uint8Array {
  if (content.length !== shape.bytes) throw damaged(id, 'its row is cut off');
  return content;
}
