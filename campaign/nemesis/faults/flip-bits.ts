import { breakEach, drawChunkFiles, flipBits } from '../chunk-files.js';
import type { Fault } from '../fault.js';

const MOST_BITS = 3;

/** Bits that turn over on a disk, under the peer that runs on it. */
export const flipChunkBits: Fault = {
  async inject(victim) {
    const { numbers } = victim;
    const files = await drawChunkFiles(victim);
    return breakEach(files, (file) => flipBits(file, numbers.between(1, MOST_BITS), numbers));
  },
};
