import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../errors.js';

/** The daemon may just be making a file when the folder is removed after Ctrl-C: it is asked that often. */
const REMOVE_ATTEMPTS = 5;

/** A closed folder beside the destination, on the same file system, so that moving to the place is a rename. */
export class Staging implements AsyncDisposable {
  readonly path: string;
  #parts = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static open(parent: string): Staging {
    const path = join(parent, `.shoal-${randomBytes(6).toString('hex')}`);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      throw wrapError(error, `Making a folder in ${parent}`);
    }
    return new Staging(path);
  }

  /** A folder for the items of one ExportRequest, with the proof that it asks for. */
  openPart(): { readonly path: string; readonly proof: string } {
    const path = join(this.path, String(this.#parts++));
    const proof = randomBytes(16).toString('hex');
    try {
      mkdirSync(path, { mode: 0o700 });
      writeFileSync(join(path, '.proof'), proof, { mode: 0o600 });
    } catch (error) {
      throw wrapError(error, `Writing to ${path}`);
    }
    return { path, proof };
  }

  /** Removes it with all that was not moved away. */
  async close(): Promise<void> {
    try {
      await rm(this.path, { recursive: true, force: true, maxRetries: REMOVE_ATTEMPTS, retryDelay: 20 });
    } catch (error) {
      throw wrapError(error, `Removing ${this.path}`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
