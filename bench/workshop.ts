import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../src/cli/units.js';
import { StorageError } from '../src/errors.js';
import { DEFAULT_RESERVE_BYTES } from '../src/limits.js';

/** The file, its chunks (6 / 4 of it), what comes back, and a little more. */
const COPIES = 3.75;
/** Logs, catalogs, the file that warms up with its chunks. */
const OTHER_BYTES = 768 * 2 ** 20;
/** The file that is repaired and scrubbed, with its chunks and what healing writes beside them. */
const HEALING_COPIES = 3;

/** The temporary folder of one run. Closing it removes it, and so does the end of the process. */
export class Workshop implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /**
   * @param bytes of user data in the largest step
   * @param healedBytes of the file that is healed beside it
   * @throws StorageError NO_SPACE
   */
  static async open(bytes: number, healedBytes: number): Promise<Workshop> {
    const { bavail, bsize } = await statfs(tmpdir());
    const needed = bytes * COPIES + healedBytes * HEALING_COPIES + OTHER_BYTES + DEFAULT_RESERVE_BYTES;
    if (bavail * bsize < needed) {
      throw new StorageError(
        'NO_SPACE',
        `${tmpdir()} has less than ${formatBytes(needed)} free: make room, choose another disk with TMPDIR, or pass a smaller --bytes.`,
      );
    }
    return new Workshop(await mkdtemp(join(tmpdir(), 'shoal-bench-')));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
