import { SFTP_MEMORY_FILE_BYTES } from '../../limits.js';
import type { Budget } from './budget.js';
import type { Draft } from './draft.js';

const FIRST_BYTES = 32 * 1024;

/** A small file in memory. */
export class MemoryDraft implements Draft {
  readonly #budget: Budget;
  #memory = Buffer.alloc(0);
  #bytes = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes room for a file of this size. @returns false when that is too large, or others have the memory */
  reserve(bytes: number): boolean {
    if (bytes <= this.#memory.length) return true;
    if (bytes > SFTP_MEMORY_FILE_BYTES) return false;
    const wanted = Math.min(Math.max(bytes, this.#memory.length * 2, FIRST_BYTES), SFTP_MEMORY_FILE_BYTES);
    if (!this.#budget.take(wanted - this.#memory.length)) return false;
    const grown = Buffer.alloc(wanted);
    this.#memory.copy(grown, 0, 0, this.#bytes);
    this.#memory = grown;
    return true;
  }

  /** Within what was reserved. */
  async write(offset: number, data: Uint8Array): Promise<void> {
    if (offset > this.#bytes) this.#memory.fill(0, this.#bytes, offset);
    this.#memory.set(data, offset);
    this.#bytes = Math.max(this.#bytes, offset + data.length);
  }

  /** Within what was reserved. */
  async truncate(bytes: number): Promise<void> {
    if (bytes > this.#bytes) this.#memory.fill(0, this.#bytes, bytes);
    this.#bytes = bytes;
  }

  async read(offset: number, bytes: number): Promise<readonly Uint8Array[]> {
    // A copy: the reply waits for the network, and the file may be written to meanwhile.
    return [Buffer.from(this.#memory.subarray(offset, Math.min(offset + bytes, this.#bytes)))];
  }

  async *source(): AsyncGenerator<Uint8Array> {
    if (this.#bytes > 0) yield this.#memory.subarray(0, this.#bytes);
  }

  async close(): Promise<void> {
    this.#budget.give(this.#memory.length);
    this.#memory = Buffer.alloc(0);
    this.#bytes = 0;
  }
}
