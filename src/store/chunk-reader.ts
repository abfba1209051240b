import { join } from 'node:path';
import type { ChunkStore, GetOptions, StoredChunk } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError, wrapError } from '../errors.js';
import { ChunkFiles } from './chunk-files.js';
import { INDEX_FILE, INDEX_NAME, INDEX_SCHEMA } from './chunk-index.js';
import { ChunkLookup } from './chunk-lookup.js';
import { DatabaseReader } from './sqlite-reader.js';
import { getStored, type ChunkPlaces } from './stored-chunk.js';

interface Opened {
  readonly reader: DatabaseReader;
  readonly places: ChunkPlaces;
}

/**
 * The chunks of a disk store that another process has open, `shared`. That one need not run: what it has stored can be read
 * all the same. A chunk that it deletes meanwhile is NOT_FOUND, or read to its end when its file was open by then.
 */
export class ChunkReader implements Pick<ChunkStore, 'get'>, AsyncDisposable {
  readonly #directory: string;
  #opening: Promise<Opened> | undefined;

  /** Opens nothing: the first read does. @param directory of the store */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    options.signal.throwIfAborted();
    const { places } = await this.#open();
    return getStored(places, id, options);
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = Promise.reject(new StorageError('UNAVAILABLE', 'The chunk store is closed.'));
    this.#opening.catch(() => undefined);
    await opened?.reader.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<Opened> {
    this.#opening ??= openPlaces(this.#directory);
    const opening = this.#opening;
    try {
      return await opening;
    } catch (error) {
      // Tried again by the next read: the store may have been made, or migrated, by then.
      if (this.#opening === opening && !StorageError.is(error, 'UNAVAILABLE')) this.#opening = undefined;
      throw explain(error, this.#directory);
    }
  }
}

async function openPlaces(directory: string): Promise<Opened> {
  const file = join(directory, INDEX_FILE);
  const reader = await DatabaseReader.open({ file, schema: INDEX_SCHEMA, name: INDEX_NAME });
  try {
    return { reader, places: { index: new ChunkLookup(reader), files: await ChunkFiles.open(directory) } };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

function explain(error: unknown, directory: string): StorageError {
  const wrapped = wrapError(error, `Opening the chunk store in ${directory}`);
  if (wrapped.code !== 'NOT_FOUND') return wrapped;
  const message = 'This peer has no chunk store yet. Start its File Receiver with `shoal serve file-receiver`.';
  return new StorageError('UNAVAILABLE', message, { cause: error });
}
