import { productTable } from './galois.js';
import type { Kernel } from './kernel.js';
import { rowOf, type Matrix } from './matrix.js';

const tables = new Map<number, Uint8Array>();

/** Made when first used: 256 bytes a factor, 64 KiB at most. */
function tableOf(factor: number): Uint8Array {
  let table = tables.get(factor);
  if (table === undefined) {
    table = productTable(factor);
    tables.set(factor, table);
  }
  return table;
}

/** For engines without WebAssembly SIMD, and the judge of the other kernel in the tests. */
export class PlainKernel implements Kernel {
  #memory = new Uint8Array(0);

  reserve(bytes: number): void {
    if (this.#memory.length < bytes) this.#memory = new Uint8Array(bytes);
  }

  view(address: number, bytes: number): Uint8Array {
    return this.#memory.subarray(address, address + bytes);
  }

  multiply(factors: Matrix, inputs: readonly number[], outputs: readonly number[], bytes: number): void {
    for (const [row, address] of outputs.entries()) {
      const output = this.view(address, bytes).fill(0);
      const factorsOfRow = rowOf(factors, row);
      for (const [column, from] of inputs.entries()) {
        addProduct(output, this.view(from, bytes), tableOf(factorsOfRow[column] ?? 0));
      }
    }
  }
}

function addProduct(output: Uint8Array, input: Uint8Array, table: Uint8Array): void {
  for (let at = 0; at < output.length; at++) output[at] = (output[at] ?? 0) ^ (table[input[at] ?? 0] ?? 0);
}
