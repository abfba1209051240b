import type { Matrix } from './matrix.js';
import { PlainKernel } from './kernel-plain.js';
import { SimdKernel } from './kernel-simd.js';

/** Bytes of its own, and the one operation on them that costs time. Addresses are offsets into these bytes. */
export interface Kernel {
  /** Makes at least `bytes` bytes addressable. May detach every view taken before; the contents may be lost. */
  reserve(bytes: number): void;
  /** @returns the bytes themselves, not a copy; usable until the next `reserve` */
  view(address: number, bytes: number): Uint8Array;
  /**
   * output r = Σ over c of factors[r][c] · input c, for `bytes` bytes from each address. The number of inputs is the
   * number of columns, of outputs that of rows. Outputs overlap neither inputs nor each other.
   */
  multiply(factors: Matrix, inputs: readonly number[], outputs: readonly number[], bytes: number): void;
}

/** `auto` is SIMD where this JavaScript engine has it. Both compute the same bytes. */
export type KernelChoice = 'auto' | 'simd' | 'plain';

export function openKernel(choice: KernelChoice = 'auto'): Kernel {
  const simd = choice === 'simd' || (choice === 'auto' && SimdKernel.isSupported());
  return simd ? new SimdKernel() : new PlainKernel();
}
