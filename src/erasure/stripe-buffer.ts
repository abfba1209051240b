import { assert, StorageError } from '../errors.js';
import { openKernel, type Kernel, type KernelChoice } from './kernel.js';
import { parityMatrix, type Matrix } from './matrix.js';
import { checkChunkBytes, checkScheme, planRecovery, type Recovery } from './recovery.js';

/** Bytes [start, end) of every chunk. */
export interface Rows {
  readonly start: number;
  readonly end: number;
}

/**
 * One stripe in memory, its k data chunks followed by its m parity chunks, coded in place. Meant to be kept for the life
 * of a worker and shaped anew for each stripe: it grows to the largest stripe it has held (up to 256 MiB and 64 KiB) and
 * never shrinks; letting go of it frees it.
 *
 * The buffer owns the bytes. `data()` and `chunk()` return views of them, not copies, which the caller fills and reads.
 * They stay usable until the next `shape()`: that may move the memory (a detached view has length 0) or give the same
 * bytes to other chunks. So whatever must outlive the stripe, or goes to another thread, is copied.
 *
 * Nothing is cleared: after `shape()` the bytes are whatever they were before.
 */
export class StripeBuffer {
  readonly #kernel: Kernel;
  #k = 0;
  #m = 0;
  #chunkBytes = 0;
  #parity: Matrix | undefined;
  /** Losses repeat from stripe to stripe as long as the same peers are away. */
  #lastRecovery: { readonly key: string; readonly recovery: Recovery } | undefined;

  constructor(kernel: KernelChoice = 'auto') {
    this.#kernel = openKernel(kernel);
  }

  get k(): number {
    return this.#k;
  }

  get m(): number {
    return this.#m;
  }

  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /**
   * Makes room for k + m chunks of `chunkBytes` bytes (`chunkBytesFor`) and invalidates all views.
   *
   * @throws StorageError INVALID_ARGUMENT, or INTERNAL when the machine has no memory left; then nothing has changed
   */
  shape(k: number, m: number, chunkBytes: number): void {
    checkScheme(k, m);
    checkChunkBytes(chunkBytes);
    this.#kernel.reserve((k + m) * chunkBytes);
    if (this.#parity === undefined || k !== this.#k || m !== this.#m) {
      this.#parity = parityMatrix(k, m);
      this.#lastRecovery = undefined;
    }
    this.#k = k;
    this.#m = m;
    this.#chunkBytes = chunkBytes;
  }

  /** The data chunks in a row: the stripe and its padding, k × chunkBytes bytes. */
  data(): Uint8Array {
    return this.#kernel.view(0, this.#k * this.#chunkBytes);
  }

  /** Chunk `index`: data below k, parity from k on. */
  chunk(index: number): Uint8Array {
    assert(Number.isInteger(index) && index >= 0 && index < this.#k + this.#m, `chunk ${String(index)} of a stripe`);
    return this.#kernel.view(index * this.#chunkBytes, this.#chunkBytes);
  }

  /** Zeroes what follows the first `stripeBytes` bytes of `data()`. Call it before `encode()` unless the stripe fills it. */
  pad(stripeBytes: number): void {
    this.data().fill(0, stripeBytes);
  }

  /** Computes the parity chunks from the data chunks. */
  encode(rows?: Rows): void {
    assert(this.#parity !== undefined, 'a stripe buffer without a shape');
    this.#multiply(this.#parity, range(0, this.#k), range(this.#k, this.#m), rows);
  }

  /**
   * Computes the chunks `wanted` from k of the chunks `present`, or with `rows` only these bytes of them from the same
   * bytes of the others. Other chunks and other bytes are left alone.
   *
   * @param present those whose bytes (in `rows`) are in place; more than k are welcome, the cheapest k are used
   * @throws StorageError as `planRecovery`; INVALID_ARGUMENT for rows outside the chunks
   */
  reconstruct(present: readonly number[], wanted: readonly number[], rows?: Rows): void {
    const key = `${present.join()}>${wanted.join()}`;
    if (this.#lastRecovery?.key !== key) {
      this.#lastRecovery = { key, recovery: planRecovery(this.#k, this.#m, present, wanted) };
    }
    const { sources, factors } = this.#lastRecovery.recovery;
    this.#multiply(factors, sources, wanted, rows);
  }

  #multiply(factors: Matrix, inputs: readonly number[], outputs: readonly number[], rows: Rows | undefined): void {
    const { start, end } = rows ?? { start: 0, end: this.#chunkBytes };
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start > end || end > this.#chunkBytes) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `Bytes ${String(start)} to ${String(end)} are not within a chunk of ${String(this.#chunkBytes)}.`,
      );
    }
    const address = (index: number): number => index * this.#chunkBytes + start;
    this.#kernel.multiply(factors, inputs.map(address), outputs.map(address), end - start);
  }
}

function range(from: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
