/**
 * Arithmetic in GF(2⁸) = GF(2)[x] / (x⁸ + x⁴ + x³ + x² + 1), docs/spec/2-erasure.md section 1. Addition and subtraction
 * are XOR. Elements are numbers 0…255.
 */
export const POLYNOMIAL = 0x11d;

/** x generates the 255 non-zero elements: EXP[i] = xⁱ, twice over so that a sum of two logarithms needs no reduction. */
const EXP = new Uint8Array(2 * 255);
const LOG = new Uint8Array(256);

for (let power = 0, element = 1; power < 255; power++) {
  EXP[power] = element;
  EXP[power + 255] = element;
  LOG[element] = power;
  element <<= 1;
  if (element > 255) element ^= POLYNOMIAL;
}

const exp = (power: number): number => EXP[power] ?? 0;
const log = (element: number): number => LOG[element] ?? 0;

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp(log(a) + log(b));
}

/** @param divisor not 0 */
export function divide(dividend: number, divisor: number): number {
  return dividend === 0 ? 0 : exp(log(dividend) + 255 - log(divisor));
}

/** @returns the products of `factor` with 0…255 */
export function productTable(factor: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, element) => multiply(factor, element));
}

export const NIBBLE_TABLES_BYTES = 32;

/**
 * Multiplication is linear over XOR, so factor · b = factor · (b mod 16) ⊕ factor · (b − b mod 16): two tables of 16
 * entries, each one SIMD register (Plank, Greenan, Miller: "Screaming Fast Galois Field Arithmetic", FAST 2013).
 *
 * @returns factor · 0…15, then factor · 0x00, 0x10, …, 0xf0
 */
export function nibbleTables(factor: number): Uint8Array {
  return Uint8Array.from({ length: NIBBLE_TABLES_BYTES }, (_, at) => multiply(factor, at < 16 ? at : (at - 16) << 4));
}
