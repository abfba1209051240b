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

/** What is beyond it goes to the garbage collector: many transfers at once happen seldom. */
const MAX_FREE_SLABS = 16;

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
    return this.#free.pop() ?? allocate();
  }

  /** Once for each take, when the system has let go of it and nobody reads it any more. */
  give(slab: Uint8Array): void {
    if (this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
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
function allocate(): Uint8Array {
  if (engine === undefined) return new Uint8Array(DISK_IO_BYTES);
  const pages = DISK_IO_BYTES / WASM_PAGE_BYTES;
  return new Uint8Array(new engine.Memory({ initial: pages, maximum: pages }).buffer);
}
