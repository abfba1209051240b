/**
 * AssemblyScript, compiled to ../kernel.wasm. Sums of products over GF(2⁸) of byte ranges in memory:
 * output r = Σ factor[r][c] · input c. src/erasure/kernel-simd.ts fills the areas below before it calls.
 *
 * A step of 32 bytes keeps two registers each for up to three outputs, and two each for the low and high nibbles of the
 * input; with the tables in turn that is what the 16 registers of x86-64 hold.
 */

/** u32 addresses of the inputs, at most 64. */
export const INPUTS: usize = 0x1000;
/** u32 addresses of the outputs, at most 64. They must not overlap the inputs. */
export const OUTPUTS: usize = 0x1100;
/** Per factor, row by row: 16 products with the low nibble, 16 with the high one. rows × columns ≤ 1024. */
export const TABLES: usize = 0x4000;
/** First byte that belongs to the caller. */
export const DATA: usize = 0x10000;

const STEP: usize = 32;
const TABLE_BYTES: usize = 32;
const ROWS_A_PASS: usize = 3;

function address(list: usize, index: usize): usize {
  return <usize>load<u32>(list + (index << 2));
}

function product(table: usize, low: v128, high: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(table), low), i8x16.swizzle(v128.load(table, 16), high));
}

/** The outputs of a pass, as types: the compiler makes one function for each and drops the branches that `sizeof` rules out. */
type One = u8;
type Two = u16;
type Three = u32;

function pass<Rows>(columns: usize, first: usize, from: usize, to: usize): void {
  const nibble = i8x16.splat(0x0f);
  const rowBytes = columns * TABLE_BYTES;
  const tables = TABLES + first * rowBytes;
  for (let at = from; at < to; at += STEP) {
    let a0 = i8x16.splat(0);
    let a1 = i8x16.splat(0);
    let b0 = i8x16.splat(0);
    let b1 = i8x16.splat(0);
    let c0 = i8x16.splat(0);
    let c1 = i8x16.splat(0);
    let table = tables;
    for (let column: usize = 0; column < columns; column++) {
      const input = address(INPUTS, column) + at;
      const bytes0 = v128.load(input);
      const bytes1 = v128.load(input, 16);
      const low0 = v128.and(bytes0, nibble);
      const low1 = v128.and(bytes1, nibble);
      const high0 = v128.and(i16x8.shr_u(bytes0, 4), nibble);
      const high1 = v128.and(i16x8.shr_u(bytes1, 4), nibble);
      a0 = v128.xor(a0, product(table, low0, high0));
      a1 = v128.xor(a1, product(table, low1, high1));
      if (sizeof<Rows>() >= sizeof<Two>()) {
        b0 = v128.xor(b0, product(table + rowBytes, low0, high0));
        b1 = v128.xor(b1, product(table + rowBytes, low1, high1));
      }
      if (sizeof<Rows>() >= sizeof<Three>()) {
        c0 = v128.xor(c0, product(table + 2 * rowBytes, low0, high0));
        c1 = v128.xor(c1, product(table + 2 * rowBytes, low1, high1));
      }
      table += TABLE_BYTES;
    }
    storeStep(first, at, a0, a1);
    if (sizeof<Rows>() >= sizeof<Two>()) storeStep(first + 1, at, b0, b1);
    if (sizeof<Rows>() >= sizeof<Three>()) storeStep(first + 2, at, c0, c1);
  }
}

function storeStep(row: usize, at: usize, low: v128, high: v128): void {
  const output = address(OUTPUTS, row) + at;
  v128.store(output, low);
  v128.store(output, high, 16);
}

/** The same, byte by byte, for the end of a range. */
function multiplyBytes(columns: usize, rows: usize, from: usize, to: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const output = address(OUTPUTS, row);
    for (let at = from; at < to; at++) {
      let table = TABLES + row * columns * TABLE_BYTES;
      let sum: u8 = 0;
      for (let column: usize = 0; column < columns; column++) {
        const byte = load<u8>(address(INPUTS, column) + at);
        sum ^= load<u8>(table + (byte & 15)) ^ load<u8>(table + 16 + (byte >> 4));
        table += TABLE_BYTES;
      }
      store<u8>(output + at, sum);
    }
  }
}

/** Outputs 0…rows − 1 from all `columns` inputs, bytes [from, to) of each. */
export function multiply(columns: usize, rows: usize, from: usize, to: usize): void {
  const end = to - ((to - from) & (STEP - 1));
  let row: usize = 0;
  for (; row + ROWS_A_PASS <= rows; row += ROWS_A_PASS) pass<Three>(columns, row, from, end);
  if (rows - row == 2) pass<Two>(columns, row, from, end);
  else if (rows - row == 1) pass<One>(columns, row, from, end);
  if (end < to) multiplyBytes(columns, rows, end, to);
}

/** Output `row` as the plain sum of all inputs, bytes [from, to): what factors of 1 would give, several times as fast. */
export function add(columns: usize, row: usize, from: usize, to: usize): void {
  const output = address(OUTPUTS, row);
  const end = to - ((to - from) & (STEP - 1));
  for (let at = from; at < end; at += STEP) {
    let low = i8x16.splat(0);
    let high = i8x16.splat(0);
    for (let column: usize = 0; column < columns; column++) {
      const input = address(INPUTS, column) + at;
      low = v128.xor(low, v128.load(input));
      high = v128.xor(high, v128.load(input, 16));
    }
    v128.store(output + at, low);
    v128.store(output + at, high, 16);
  }
  for (let at = end; at < to; at++) {
    let sum: u8 = 0;
    for (let column: usize = 0; column < columns; column++) sum ^= load<u8>(address(INPUTS, column) + at);
    store<u8>(output + at, sum);
  }
}
