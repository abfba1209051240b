import { assert } from '../../src/errors.js';

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  assert(low !== undefined && high !== undefined, 'the median of nothing');
  return (low + high) / 2;
}
