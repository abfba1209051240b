import { randomFillSync } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { BALLAST_BYTES } from '../limits.js';

/**
 * A file that is thrown overboard when the disk is full to the last byte: even to delete, SQLite has to write first. The
 * reserve does not help there, because other programs fill a disk too.
 */
export class Ballast {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes ballast in, unless it is there; a disk without room for it goes without. */
  async load(): Promise<void> {
    try {
      if ((await stat(this.#path)).size === BALLAST_BYTES) return;
    } catch {
      // Not there, as on the first voyage.
    }
    try {
      // Random, for some file systems store zeros in no space at all.
      await writeFile(this.#path, randomFillSync(new Uint8Array(BALLAST_BYTES)), { mode: 0o600 });
    } catch {
      await this.drop();
    }
  }

  async drop(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
