import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { parseChunkId, type ChunkId } from '../chunk/ids.js';

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The files of a store: whole chunks in `chunks/ab/<id>`, those on their way in `partial/<id>`. */
export class ChunkFiles {
  readonly #chunks: string;
  readonly #partial: string;
  readonly #folders = new Map<string, Promise<void>>();

  private constructor(directory: string) {
    this.#chunks = join(directory, 'chunks');
    this.#partial = join(directory, 'partial');
  }

  static async open(directory: string): Promise<ChunkFiles> {
    const files = new ChunkFiles(directory);
    await mkdir(files.#partial, { recursive: true });
    await mkdir(files.#chunks, { recursive: true });
    await syncFolder(directory);
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
      made = mkdir(path, { recursive: true }).then(() => syncFolder(this.#chunks));
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

  openPartial(id: ChunkId): Promise<FileHandle> {
    return open(join(this.#partial, id), constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** @throws a system error, ENOENT among them */
  openChunk(id: ChunkId): Promise<FileHandle> {
    return open(this.#path(id), 'r');
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
    await syncFolder(this.#folder(id));
  }

  /** From whole back to partial, for a file that never got its row. Without effect when there is none. */
  async demote(id: ChunkId): Promise<void> {
    try {
      await rename(this.#path(id), join(this.#partial, id));
    } catch (error) {
      if (!isMissing(error)) throw error;
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
