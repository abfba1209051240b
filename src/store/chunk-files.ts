import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { parseChunkId, type ChunkId } from '../chunk/ids.js';

/** The first two digits of every id: a folder of millions of files is slow on many file systems. */
const PREFIXES = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

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

  private constructor(directory: string) {
    this.#chunks = join(directory, 'chunks');
    this.#partial = join(directory, 'partial');
  }

  static async open(directory: string): Promise<ChunkFiles> {
    const files = new ChunkFiles(directory);
    await mkdir(files.#partial, { recursive: true });
    await mkdir(files.#chunks, { recursive: true });
    const there = new Set(await readdir(files.#chunks));
    const lacking = PREFIXES.filter((prefix) => !there.has(prefix));
    for (const prefix of lacking) await mkdir(join(files.#chunks, prefix));
    if (lacking.length > 0) {
      await syncFolder(files.#chunks);
      await syncFolder(directory);
    }
    return files;
  }

  #folder(id: ChunkId): string {
    return join(this.#chunks, id.slice(0, 2));
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
