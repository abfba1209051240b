import { StorageError } from '../errors.js';
import { SEGMENT_BYTES } from '../limits.js';
import { openKernel, type Kernel } from './kernel.js';
import { parityMatrix, type Matrix } from './matrix.js';
import { checkScheme, chunkBytesFor, planRecovery } from './recovery.js';

/**
 * One a thread, never seen outside this file: calls are synchronous, so no two use it at once. Chunks pass through it in
 * windows, so it stays below n × SEGMENT_BYTES (8 MiB) whatever is coded.
 */
let scratch: Kernel | undefined;

/**
 * Codes a stripe into n = k + m chunks of ⌈L / k⌉ bytes, in new memory. Whoever codes many large stripes saves two copies
 * with a StripeBuffer.
 *
 * @throws StorageError INVALID_ARGUMENT for a k, m or length that the format does not know
 */
export function encodeChunks(stripe: Uint8Array, k: number, m: number): Uint8Array[] {
  checkScheme(k, m);
  const chunkBytes = chunkBytesFor(stripe.length, k);
  const padded = new Uint8Array(k * chunkBytes);
  padded.set(stripe);
  const data = Array.from({ length: k }, (_, i) => padded.subarray(i * chunkBytes, (i + 1) * chunkBytes));
  const parity = Array.from({ length: m }, () => new Uint8Array(chunkBytes));
  multiplyRows(parityMatrix(k, m), data, parity);
  return [...data, ...parity];
}

/**
 * Rebuilds the same bytes [start, end) of other chunks: a segment from that segment of k others, or whole chunks.
 *
 * @param rows by index of chunk, equally long; k are read, none is changed
 * @returns one for each of `wanted`, in that order, in new memory
 * @throws StorageError CORRUPT for fewer than k rows; INVALID_ARGUMENT for rows of different lengths, for an index that is
 *   no chunk, comes twice, or is both there and wanted
 */
export function reconstructRow(
  k: number,
  m: number,
  rows: ReadonlyMap<number, Uint8Array>,
  wanted: readonly number[],
): Uint8Array[] {
  const { sources, factors } = planRecovery(k, m, [...rows.keys()], wanted);
  const lengths = new Set([...rows.values()].map((row) => row.length));
  const [rowBytes] = lengths;
  if (rowBytes === undefined || lengths.size > 1) {
    throw new StorageError('INVALID_ARGUMENT', 'The rows of a stripe that others are rebuilt from are equally long.');
  }
  const inputs = [...rows].filter(([index]) => sources.includes(index)).toSorted(([a], [b]) => a - b);
  const outputs = wanted.map(() => new Uint8Array(rowBytes));
  multiplyRows(
    factors,
    inputs.map(([, row]) => row),
    outputs,
  );
  return outputs;
}

/** All inputs and outputs are equally long; `outputs` are filled. */
function multiplyRows(factors: Matrix, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
  const rowBytes = inputs[0]?.length ?? 0;
  const window = Math.min(rowBytes, SEGMENT_BYTES);
  scratch ??= openKernel();
  scratch.reserve((factors.rows + factors.columns) * window);
  const from = inputs.map((_, index) => index * window);
  const to = outputs.map((_, index) => (inputs.length + index) * window);
  for (let start = 0; start < rowBytes; start += window) {
    const bytes = Math.min(window, rowBytes - start);
    for (const [index, input] of inputs.entries()) {
      scratch.view(index * window, bytes).set(input.subarray(start, start + bytes));
    }
    scratch.multiply(factors, from, to, bytes);
    for (const [index, output] of outputs.entries()) {
      output.set(scratch.view((inputs.length + index) * window, bytes), start);
    }
  }
}
