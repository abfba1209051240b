import { createCipheriv, createHash } from 'node:crypto';

/** Incompressible bytes that the same seed makes again. */
export function seededBytes(seed: string, bytes: number): Uint8Array {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Numbers that the same seed makes again. */
export class SeededNumbers {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** An integer from 0 to `bound` − 1. */
  below(bound: number): number {
    const digest = createHash('sha256')
      .update(`${this.#seed} ${String(this.#count++)}`)
      .digest();
    return digest.readUInt32BE(0) % bound;
  }
}
