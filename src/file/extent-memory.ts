const ROUNDED_BYTES = 1024 * 1024;

/**
 * Memory for extents of streams, used again and again: a worker gives it back as soon as it has sealed what is in it. Left to the
 * collector, as much again would wait for it, in both threads.
 */
export class ExtentMemory {
  readonly #most: number;
  #free: ArrayBuffer[] = [];
  #users = 0;

  /** @param most buffers that are kept for later */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns what says that this stream needs no more; after the last of them nothing is kept */
  join(): () => void {
    let isIn = true;
    this.#users++;
    return () => {
      if (isIn) this.#users--;
      isIn = false;
      if (this.#users === 0) this.#free = [];
    };
  }

  /** From the beginning of its memory on, which may be longer. Its bytes are any. */
  take(bytes: number): Buffer {
    const index = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    if (found !== undefined) return Buffer.from(found, 0, bytes);
    // How long an extent may be depends a little on the length of its path.
    return Buffer.allocUnsafeSlow(Math.ceil(bytes / ROUNDED_BYTES) * ROUNDED_BYTES).subarray(0, bytes);
  }

  give(buffers: readonly ArrayBuffer[]): void {
    if (this.#users === 0) return;
    for (const buffer of buffers) if (this.#free.length < this.#most) this.#free.push(buffer);
  }
}
