/** For the tests: erasure coding by its definition (docs/spec/2-erasure.md), as slowly and plainly as it can be said. */

/** Schoolbook: carry-less product, then remainder by the polynomial. */
export function slowMultiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8);
  return product;
}

export function slowInverse(a: number): number {
  let inverse = 1;
  while (slowMultiply(a, inverse) !== 1) inverse++;
  return inverse;
}

/** Factor of data chunk `column` in parity chunk `row`. */
export function slowFactor(k: number, row: number, column: number): number {
  return slowMultiply(k ^ column, slowInverse((k + row) ^ column));
}

export function slowEncode(stripe: Uint8Array, k: number, m: number): Uint8Array[] {
  const chunkBytes = Math.ceil(stripe.length / k);
  const chunks = Array.from({ length: k + m }, () => new Uint8Array(chunkBytes));
  for (const [at, byte] of stripe.entries()) chunks[Math.floor(at / chunkBytes)]?.set([byte], at % chunkBytes);
  const parity = chunks.slice(k);
  for (const [row, chunk] of parity.entries()) {
    for (const [column, data] of chunks.slice(0, k).entries()) {
      const factor = slowFactor(k, row, column);
      for (const [at, byte] of data.entries()) chunk[at] = (chunk[at] ?? 0) ^ slowMultiply(factor, byte);
    }
  }
  return chunks;
}

/** Bytes that repeat nowhere near: a linear congruential generator (Numerical Recipes), its upper bits. */
export function noise(bytes: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Every way to take `size` of 0 … n − 1, ascending. */
export function subsets(n: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  const all: number[][] = [];
  for (let first = from; first <= n - size; first++) {
    for (const rest of subsets(n, size - 1, first + 1)) all.push([first, ...rest]);
  }
  return all;
}
