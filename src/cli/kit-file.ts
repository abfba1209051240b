import { open, rm, type FileHandle } from 'node:fs/promises';
import { wrapError } from '../errors.js';

/** A new file for a kit's words, which only its owner can read. Made before the kit, lest the words have nowhere to go. */
export class KitFile implements AsyncDisposable {
  readonly #path: string;
  #handle: FileHandle | undefined;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @throws StorageError ALREADY_EXISTS when something is there: it could be the only copy of another kit */
  static async open(path: string): Promise<KitFile> {
    try {
      return new KitFile(path, await open(path, 'wx', 0o600));
    } catch (error) {
      throw wrapError(error, `Making ${path}`);
    }
  }

  /** Durable when it resolves. */
  async write(page: string): Promise<void> {
    const handle = this.#handle;
    try {
      await handle?.writeFile(page);
      await handle?.sync();
      await handle?.close();
      this.#handle = undefined;
    } catch (error) {
      throw wrapError(error, `Writing ${this.#path}`);
    }
  }

  /** Removes the file unless it was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#handle === undefined) return;
    await this.#handle.close();
    this.#handle = undefined;
    await rm(this.#path, { force: true });
  }
}
