import { constants } from 'node:fs';
import { DISK_IO_BYTES } from '../limits.js';

/** Of `open`; 0 where the system has no direct I/O. */
export const DIRECT_FLAG = (constants as { readonly O_DIRECT?: number }).O_DIRECT ?? 0;

/** What direct I/O wants addresses, offsets and lengths to be multiples of: the largest logical block of today's disks. */
export const ALIGNMENT_BYTES = 4096;
const WASM_PAGE_BYTES = 64 * 1024;

/** Of the engine's WebAssembly, what is used here: neither the Node.js types nor the chosen libraries declare it. */
interface Engine {
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
}
const engine = (globalThis as { readonly WebAssembly?: Engine }).WebAssembly;

/** Slabs of one memory: V8 keeps some GiB of addresses free behind each, so not every slab should have its own. */
const SLABS_PER_MEMORY = 4;

/**
 * Memory for disk I/O, in slabs of DISK_IO_BYTES that begin at a page. The memory of a WebAssembly instance is the one
 * kind that JavaScript can get aligned. It is also used again and again, where a fresh buffer for each read or write would
 * make V8 walk the heap once for every 64 MiB of them.
 */
export class AlignedMemory {
  /** False: no direct I/O with it. */
  readonly aligned = engine !== undefined;
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    const slab = this.#free.pop();
    if (slab !== undefined) return slab;
    const buffer = allocate(SLABS_PER_MEMORY * DISK_IO_BYTES);
    for (let at = 0; at < SLABS_PER_MEMORY * DISK_IO_BYTES; at += DISK_IO_BYTES) {
      this.#free.push(new Uint8Array(buffer, at, DISK_IO_BYTES));
    }
    return this.take();
  }

  /** Once for each take, when the system has let go of it and nobody reads it any more. */
  give(slab: Uint8Array): void {
    this.#free.push(slab);
  }
}

export function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/**
 * From where a short write is to be continued: behind the last whole block. Behind less than a block too, so that the next
 * attempt moves on or fails.
 */
export function wholeBlocks(written: number, wanted: number): number {
  const whole = written - (written % ALIGNMENT_BYTES);
  return written < wanted && whole > 0 ? whole : written;
}

/** Without WebAssembly it is not aligned: then the store cannot use direct I/O. */
function allocate(bytes: number): ArrayBuffer {
  if (engine === undefined) return new ArrayBuffer(bytes);
  const pages = bytes / WASM_PAGE_BYTES;
  return new engine.Memory({ initial: pages, maximum: pages }).buffer;
}
