import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { parseChunkId, type ChunkId } from '../chunk/ids.js';
import { syncPath } from '../durable-file.js';
import { AlignedMemory, DIRECT_FLAG } from './aligned-memory.js';

const MODE = 0o600;
/** Reads of less go through the system's cache. */
const CACHED_BYTES = 512 * 1024;

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function isMissing(error: unknown): boolean {
  return isCode(error, 'ENOENT');
}

/** None of what is no folder. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error) || isCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** The files of a store: whole chunks in `chunks/ab/<id>`, those on their way in `partial/<id>`. */
export class ChunkFiles {
  readonly #chunks: string;
  readonly #partial: string;
  readonly #folders = new Map<string, Promise<void>>();
  /** For all that is read from and written to these files. */
  readonly memory = new AlignedMemory();
  #direct = this.memory.aligned;

  private constructor(directory: string) {
    this.#chunks = join(directory, 'chunks');
    this.#partial = join(directory, 'partial');
  }

  static async open(directory: string): Promise<ChunkFiles> {
    const files = new ChunkFiles(directory);
    await mkdir(files.#partial, { recursive: true });
    await mkdir(files.#chunks, { recursive: true });
    await syncPath(directory);
    return files;
  }

  /** By the first two digits of the id: a folder of millions of files is slow on many file systems. */
  #folder(id: ChunkId): string {
    return join(this.#chunks, id.slice(0, 2));
  }

  /** Makes a folder for good, once in a process: one that is there may be of a process that died before its sync. */
  async #makeFolder(path: string): Promise<void> {
    let made = this.#folders.get(path);
    if (made === undefined) {
      made = mkdir(path, { recursive: true }).then(() => syncPath(this.#chunks));
      this.#folders.set(path, made);
    }
    try {
      await made;
    } catch (error) {
      this.#folders.delete(path);
      throw error;
    }
  }

  #path(id: ChunkId): string {
    return join(this.#folder(id), id);
  }

  /** Only whole blocks may be read and written. */
  openPartial(id: ChunkId): Promise<FileHandle> {
    return this.#openDirect(join(this.#partial, id), constants.O_RDWR | constants.O_CREAT);
  }

  /**
   * Only whole blocks may be read.
   *
   * @param bytes that will be read. Few of them go through the system's cache: who reads them often comes back for others
   * @throws a system error, ENOENT among them
   */
  openChunk(id: ChunkId, bytes: number): Promise<FileHandle> {
    const path = this.#path(id);
    return bytes < CACHED_BYTES ? open(path, constants.O_RDONLY) : this.#openDirect(path, constants.O_RDONLY);
  }

  /**
   * Past the system's cache, where the file system lets us: chunks are written once, synced and seldom read, so keeping
   * them in memory costs a copy of every byte and pushes out what others read more often.
   */
  async #openDirect(path: string, flags: number): Promise<FileHandle> {
    if (this.#direct) {
      try {
        return await open(path, flags | DIRECT_FLAG, MODE);
      } catch (error) {
        if (!isCode(error, 'EINVAL')) throw error;
        this.#direct = false;
      }
    }
    return open(path, flags, MODE);
  }

  /** @returns undefined when there is no such file */
  async chunkBytes(id: ChunkId): Promise<number | undefined> {
    try {
      return (await stat(this.#path(id))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** From partial to whole; would survive a power cut, provided that the file's bytes do. */
  async promote(id: ChunkId): Promise<void> {
    await this.#makeFolder(this.#folder(id));
    await rename(join(this.#partial, id), this.#path(id));
    await syncPath(this.#folder(id));
  }

  /** From whole back to partial, for a file that never got its row. Without effect when there is none. */
  async demote(id: ChunkId): Promise<void> {
    try {
      await rename(this.#path(id), join(this.#partial, id));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /**
   * For writing in the middle of a whole chunk. Through the system's cache: a segment at the end need not fill a block.
   *
   * @throws a system error, ENOENT among them
   */
  openToMend(id: ChunkId): Promise<FileHandle> {
    return open(this.#path(id), constants.O_RDWR);
  }

  /** Makes a file survive a power cut of which nobody knows whether it would. */
  async syncChunk(id: ChunkId): Promise<void> {
    await syncPath(this.#path(id));
    await syncPath(this.#folder(id));
    await syncPath(this.#chunks);
  }

  /** What lies in chunks/, one folder after the other; what is no chunk is left out. */
  async *chunkFiles(): AsyncGenerator<readonly ChunkId[]> {
    for (const folder of await readdir(this.#chunks)) {
      const names = /^[0-9a-f]{2}$/.test(folder) ? await namesIn(join(this.#chunks, folder)) : [];
      yield names.filter((name) => /^[0-9a-f]{64}$/.test(name) && name.startsWith(folder)).map(parseChunkId);
    }
  }

  /** Unix time when the file was last written or renamed; undefined when there is none. */
  async changedMs(id: ChunkId): Promise<number | undefined> {
    try {
      const { mtimeMs, ctimeMs } = await stat(this.#path(id));
      return Math.max(mtimeMs, ctimeMs);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async removeChunk(id: ChunkId): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  async removePartial(id: ChunkId): Promise<void> {
    await rm(join(this.#partial, id), { force: true });
  }

  /** What lies in partial/, and is removed when it is not a partial chunk at all. */
  async partialIds(): Promise<readonly ChunkId[]> {
    const ids: ChunkId[] = [];
    for (const name of await readdir(this.#partial)) {
      if (/^[0-9a-f]{64}$/.test(name)) ids.push(parseChunkId(name));
      else await rm(join(this.#partial, name), { recursive: true, force: true });
    }
    return ids;
  }

  /** Free bytes of the file system, for this system user. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#partial);
    return bavail * bsize;
  }
}
