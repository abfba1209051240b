import { createHash } from 'node:crypto';
import { seededBytes } from '../../test/e2e/programs/seeded.js';
import type { Numbers } from '../numbers.js';

const PART_BYTES = 256 * 1024;

/** A file as the load writes it: the same name makes the same bytes. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export function makeContent(name: string, bytes: number): Content {
  const made = seededBytes(name, bytes);
  return { bytes: made, digest: createHash('sha256').update(made).digest('hex') };
}

export async function* parts({ bytes }: Content): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}

/** Of each kind that is stored in another way: within the catalog or packed, one stripe, several. */
const SIZES = [
  [0, 4 * 1024],
  [4 * 1024, 300 * 1024],
  [500 * 1024, 3 * 1024 * 1024],
  [500 * 1024, 3 * 1024 * 1024],
  [9 * 1024 * 1024, 18 * 1024 * 1024],
] as const;
/** The last of the sizes above comes with one file in so many. */
const BIG_ONE_IN = 12;

export function drawBytes(numbers: Numbers): number {
  const big = numbers.below(BIG_ONE_IN) === 0;
  const size = big ? SIZES.at(-1) : numbers.pick(SIZES.slice(0, -1));
  const [least, most] = size ?? SIZES[0];
  return numbers.between(least, most);
}
