import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncPath } from '../durable-file.js';

/** LevelDB's write-ahead logs: "000003.log". */
const WRITE_AHEAD_LOG = /^\d+\.log$/;

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * PouchDB writes to LevelDB without its `sync` option and offers no way to set it: a write is in the kernel's cache (and
 * survives the process), but not on the disk. So after a write we do what `sync` would have done: fsync the write-ahead
 * log. LevelDB hands every record to the kernel before the write returns, and an fsync by any descriptor flushes what any
 * other wrote. A log that vanishes meanwhile was compacted into a table, which LevelDB itself syncs before it deletes the
 * log. The folder is synced for the names of new logs.
 */
async function syncLevelDb(directory: string): Promise<void> {
  const names = await readdir(directory);
  const syncing = names
    .filter((name) => WRITE_AHEAD_LOG.test(name))
    .map(async (name) => {
      try {
        await syncPath(join(directory, name));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  await Promise.all(syncing);
  await syncPath(directory);
}

/** Writers that wait at once share a sync: one may be running and one waiting to begin. */
export class DurableFlush {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  static ofLevelDb(directory: string): DurableFlush {
    return new DurableFlush(() => syncLevelDb(directory));
  }

  /** Resolves when everything written before the call would survive a power cut. */
  flush(): Promise<void> {
    // The running sync may have passed the log before our write reached it: only one that begins later counts.
    this.#next ??= this.#afterRunning();
    return this.#next;
  }

  async #afterRunning(): Promise<void> {
    try {
      await this.#running;
    } catch {
      // Whoever waits for the running one is told; this one tries for itself.
    }
    this.#running = this.#next;
    this.#next = undefined;
    await this.#sync();
  }
}
