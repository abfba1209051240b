import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { SQLITE_BUSY_TIMEOUT_MS } from '../limits.js';
import { openNative, type NativeDatabase } from './sqlite-driver.js';
import { wrapSqliteError } from './sqlite-errors.js';

/**
 * One process at a time. Node has no call for locks of the operating system, and SQLite takes them: the lock is that of an
 * exclusive transaction over an empty database, so it dies with its process, also after kill -9, and leaves nothing behind.
 */
export class ProcessLock implements AsyncDisposable {
  readonly #native: NativeDatabase;
  #held = true;

  private constructor(native: NativeDatabase) {
    this.#native = native;
  }

  /**
   * @param file stays there, empty; its folder is made when it is missing
   * @param taken what to say when another process has the lock
   * @throws StorageError CONFLICT
   */
  static async open(file: string, taken: string): Promise<ProcessLock> {
    let native: NativeDatabase | undefined;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      native = await openNative(file);
      native.exec(`PRAGMA busy_timeout = ${String(SQLITE_BUSY_TIMEOUT_MS)}; BEGIN EXCLUSIVE`);
      return new ProcessLock(native);
    } catch (error) {
      native?.close();
      const wrapped = wrapSqliteError(error, `The lock ${file}`);
      if (wrapped.code === 'CONFLICT') throw new StorageError('CONFLICT', taken, { cause: error });
      throw wrapError(wrapped, `Locking ${file}`);
    }
  }

  close(): Promise<void> {
    if (this.#held) {
      this.#held = false;
      this.#native.exec('ROLLBACK');
      this.#native.close();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
