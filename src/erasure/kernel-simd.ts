import { readFileSync } from 'node:fs';
import { StorageError, wrapError } from '../errors.js';
import { MAX_CHUNK_BYTES, MAX_STRIPE_CHUNKS } from '../limits.js';
import { NIBBLE_TABLES_BYTES, nibbleTables } from './galois.js';
import type { Kernel } from './kernel.js';
import { rowOf, type Matrix } from './matrix.js';

/** What is used here of https://webassembly.github.io/spec/js-api/; TypeScript declares it for browsers only. */
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface Address {
  readonly value: number;
}
interface Program {
  readonly INPUTS: Address;
  readonly OUTPUTS: Address;
  readonly TABLES: Address;
  readonly DATA: Address;
  multiply(columns: number, rows: number, from: number, to: number): void;
  add(columns: number, row: number, from: number, to: number): void;
}
interface Engine {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { initial: number; maximum: number }) => Memory;
  validate(code: Uint8Array): boolean;
}

/** Absent under `node --jitless`. */
const engine = (globalThis as { readonly WebAssembly?: Engine }).WebAssembly;

const PAGE_BYTES = 65_536;
/** The kernel's own page, and the largest stripe with its parity. */
const MAX_PAGES = 1 + (MAX_STRIPE_CHUNKS * MAX_CHUNK_BYTES) / PAGE_BYTES;
/**
 * Bytes of each chunk in one call. Outputs come from several passes over the inputs, which should stay in the L2 cache
 * meanwhile; and V8 replaces its quick first translation of a WebAssembly function only between calls.
 */
const STRIP_BYTES = 16 * 1024;

let code: Uint8Array | undefined;
let compiled: object | undefined;

function readCode(): Uint8Array {
  try {
    code ??= readFileSync(new URL('./kernel.wasm', import.meta.url));
    return code;
  } catch (error) {
    throw wrapError(error, 'Loading the erasure coding kernel; the package is incomplete, install or build it again:');
  }
}

/** Instantiates ./kernel.wasm, compiled once a thread (2 KiB: not worth passing between threads), in memory of its own. */
function instantiate(): { program: Program; memory: Memory } {
  if (engine === undefined || !SimdKernel.isSupported()) {
    throw new StorageError('UNSUPPORTED', 'This JavaScript engine has no WebAssembly SIMD; choose the plain kernel.');
  }
  try {
    compiled ??= new engine.Module(readCode());
    const memory = new engine.Memory({ initial: 1, maximum: MAX_PAGES });
    const instance = new engine.Instance(compiled, { env: { memory } });
    return { program: instance.exports as Program, memory };
  } catch (error) {
    throw wrapError(error, 'Preparing the erasure coding kernel');
  }
}

/** ./kernel.wasm, made from assembly/kernel.ts: 16 bytes a step. */
export class SimdKernel implements Kernel {
  readonly #program: Program;
  readonly #memory: Memory;
  readonly #base: number;
  /** Whose tables lie in memory, in which order of rows. */
  #loaded: { readonly factors: Matrix; readonly order: readonly number[]; readonly plainRows: number } | undefined;

  constructor() {
    const { program, memory } = instantiate();
    this.#program = program;
    this.#memory = memory;
    this.#base = program.DATA.value;
  }

  /** @throws StorageError NOT_FOUND when the package lacks the kernel: a slow fallback would hide that */
  static isSupported(): boolean {
    return engine?.validate(readCode()) ?? false;
  }

  reserve(bytes: number): void {
    const missing = this.#base + bytes - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (error) {
      throw wrapError(error, `Reserving ${String(bytes)} bytes of memory for a stripe`);
    }
  }

  view(address: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#base + address, bytes);
  }

  multiply(factors: Matrix, inputs: readonly number[], outputs: readonly number[], bytes: number): void {
    const { order, plainRows } = this.#load(factors);
    const general = order.length - plainRows;
    this.#point(this.#program.INPUTS, inputs);
    this.#point(
      this.#program.OUTPUTS,
      order.map((row) => outputs[row] ?? 0),
    );
    for (let from = 0; from < bytes; from += STRIP_BYTES) {
      const to = Math.min(from + STRIP_BYTES, bytes);
      this.#program.multiply(factors.columns, general, from, to);
      for (let row = general; row < order.length; row++) this.#program.add(factors.columns, row, from, to);
    }
  }

  /** Puts the tables of general rows first, and rows of ones, which need no table, last. */
  #load(factors: Matrix): { readonly order: readonly number[]; readonly plainRows: number } {
    if (this.#loaded?.factors === factors) return this.#loaded;
    const isPlain = (row: number): boolean => rowOf(factors, row).every((factor) => factor === 1);
    const rows = Array.from({ length: factors.rows }, (_, row) => row);
    const general = rows.filter((row) => !isPlain(row));
    const tables = new Uint8Array(this.#memory.buffer, this.#program.TABLES.value);
    let at = 0;
    for (const row of general) {
      for (const factor of rowOf(factors, row)) {
        tables.set(nibbleTables(factor), at);
        at += NIBBLE_TABLES_BYTES;
      }
    }
    this.#loaded = { factors, order: [...general, ...rows.filter(isPlain)], plainRows: factors.rows - general.length };
    return this.#loaded;
  }

  #point(list: Address, addresses: readonly number[]): void {
    const pointers = new Uint32Array(this.#memory.buffer, list.value, addresses.length);
    for (const [index, address] of addresses.entries()) pointers[index] = this.#base + address;
  }
}
