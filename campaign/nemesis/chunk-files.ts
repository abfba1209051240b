import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { flipBit } from '../../test/planet/damage.js';
import type { Numbers } from '../numbers.js';
import type { Victim } from './fault.js';

/** So many files of one peer at a time. */
const MOST_FILES = 4;

/** Some of the chunks that lie in files of their own, in random order; none when there is none yet. */
export async function drawChunkFiles({ network, n, numbers }: Victim): Promise<readonly string[]> {
  const folder = join(network.storeOf(n), 'chunks');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return numbers.shuffled(files.sort()).slice(0, numbers.between(1, MOST_FILES));
}

/**
 * Breaks each of the files. One that is not there any more was removed by its peer meanwhile, for good reasons.
 *
 * @returns how many
 */
export async function breakEach(files: readonly string[], work: (file: string) => Promise<void>): Promise<number> {
  let broken = 0;
  for (const file of files) {
    try {
      await work(file);
      broken++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return broken;
}

/** Flips so many bits, wherever they are. */
export async function flipBits(path: string, bits: number, numbers: Numbers): Promise<void> {
  const { size } = await stat(path);
  if (size === 0) return;
  for (let flipped = 0; flipped < bits; flipped++) await flipBit(path, numbers.below(size), numbers.below(8));
}
