import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { PlainKernel } from './kernel-plain.js';
import { SimdKernel } from './kernel-simd.js';
import { openKernel, type Kernel } from './kernel.js';
import { entryOf, matrix, type Matrix } from './matrix.js';
import { noise, slowMultiply } from './oracle.js';

const CANARY = 0xa5;
const KERNELS = [new SimdKernel(), new PlainKernel()];

function byDefinition(factors: Matrix, inputs: readonly Uint8Array[], row: number): Uint8Array {
  return Uint8Array.from({ length: inputs[0]?.length ?? 0 }, (_, at) =>
    inputs.reduce((sum, input, column) => sum ^ slowMultiply(entryOf(factors, row, column), input[at] ?? 0), 0),
  );
}

/** Lays inputs and outputs out with `gap` bytes between, so that a write beyond an output's end is seen. */
function run(kernel: Kernel, factors: Matrix, inputs: readonly Uint8Array[], gap: number): Uint8Array[] {
  const bytes = inputs[0]?.length ?? 0;
  const address = (index: number): number => gap + index * (bytes + gap);
  const total = address(factors.columns + factors.rows);
  kernel.reserve(total);
  kernel.view(0, total).fill(CANARY);
  for (const [index, input] of inputs.entries()) kernel.view(address(index), bytes).set(input);
  const from = inputs.map((_, index) => address(index));
  const to = Array.from({ length: factors.rows }, (_, row) => address(factors.columns + row));
  kernel.multiply(factors, from, to, bytes);
  const outputs = to.map((at) => kernel.view(at, bytes).slice());
  for (const [index, at] of from.entries()) assert.deepEqual(kernel.view(at, bytes), inputs[index], 'an input changed');
  for (const at of [0, ...[...from, ...to].map((begin) => begin + bytes)]) {
    assert.ok(
      kernel.view(at, gap).every((byte) => byte === CANARY),
      'a byte outside the outputs changed',
    );
  }
  return outputs;
}

function check(factors: Matrix, inputs: readonly Uint8Array[], gap = 3): void {
  const expected = Array.from({ length: factors.rows }, (_, row) => byDefinition(factors, inputs, row));
  for (const kernel of KERNELS) assert.deepEqual(run(kernel, factors, inputs, gap), expected, kernel.constructor.name);
}

function randomFactors(rows: number, columns: number): Matrix {
  const bytes = noise(rows * columns, rows);
  return matrix(rows, columns, (row, column) => bytes[row * columns + column] ?? 0);
}

function randomInputs(columns: number, bytes: number): Uint8Array[] {
  return Array.from({ length: columns }, (_, column) => noise(bytes, column + bytes));
}

describe('both kernels compute what the definition says', () => {
  test('for every factor and every byte', () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (let factor = 0; factor < 256; factor++) {
      check(
        matrix(1, 1, () => factor),
        [every],
      );
    }
  });

  test('for every length around the steps of 16, 32 and 64 bytes, and 1 to 300', () => {
    const factors = randomFactors(2, 3);
    for (let bytes = 1; bytes <= 300; bytes++) check(factors, randomInputs(3, bytes), bytes % 5);
  });

  test('for lengths around a strip', () => {
    for (const bytes of [16_383, 16_384, 16_385, 16_417, 40_001]) check(randomFactors(2, 2), randomInputs(2, bytes));
  });

  test('for every number of outputs in a pass, with rows of ones anywhere among them', () => {
    for (let rows = 1; rows <= 9; rows++) {
      const random = randomFactors(rows, 4);
      for (const plain of [-1, 0, rows - 1, rows >> 1]) {
        const factors = matrix(rows, 4, (row, column) => (row === plain ? 1 : entryOf(random, row, column)));
        check(factors, randomInputs(4, 77));
      }
    }
  });

  test('for the largest matrices of the format', () => {
    for (const [rows, columns] of [
      [32, 32],
      [62, 2],
      [2, 62],
    ] as const) {
      check(randomFactors(rows, columns), randomInputs(columns, 70), 0);
    }
  });

  test('for two matrices in turn', () => {
    const inputs = randomInputs(3, 50);
    const [first, second] = [randomFactors(2, 3), matrix(2, 3, () => 1)];
    for (const factors of [first, second, first]) check(factors, inputs);
  });

  test('for no bytes at all', () => {
    check(randomFactors(2, 2), [new Uint8Array(0), new Uint8Array(0)]);
  });
});

describe('openKernel', () => {
  test('takes SIMD where there is some', () => {
    assert.ok(openKernel() instanceof SimdKernel);
    assert.ok(openKernel('simd') instanceof SimdKernel);
    assert.ok(openKernel('plain') instanceof PlainKernel);
  });

  test('falls back where there is no WebAssembly, and says so when asked for SIMD', () => {
    const script = `const { openKernel } = await import(${JSON.stringify(new URL('./kernel.js', import.meta.url))});
      process.stdout.write(openKernel().constructor.name + ' ');
      try { openKernel('simd'); } catch (error) { process.stdout.write(error.code); }`;
    const options = ['--jitless', '--input-type=module', '--eval', script];
    const said = execFileSync(process.execPath, options, { encoding: 'utf8', stdio: 'pipe' });
    assert.equal(said, 'PlainKernel UNSUPPORTED');
  });
});
