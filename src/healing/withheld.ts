import type { ChunkStore } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';

/**
 * Own chunks that other peers do not get for a moment: while the one that should have a chunk proves that it does, it must not
 * answer from the copy that is dropped when it has.
 */
export class Withheld {
  readonly #chunks = new Set<ChunkId>();

  async during<T>(chunk: ChunkId, work: () => Promise<T>): Promise<T> {
    this.#chunks.add(chunk);
    try {
      return await work();
    } finally {
      this.#chunks.delete(chunk);
    }
  }

  /** The store as others see it. */
  from(store: Pick<ChunkStore, 'get'>): Pick<ChunkStore, 'get'> {
    return {
      get: async (id, options) => {
        if (!this.#chunks.has(id)) return await store.get(id, options);
        throw new StorageError('NOT_FOUND', 'The chunk is about to be dropped here.');
      },
    };
  }
}
