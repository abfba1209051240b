import { stat, truncate } from 'node:fs/promises';
import { breakEach, drawChunkFiles } from '../chunk-files.js';
import type { Fault } from '../fault.js';

/** Files that a file system gives back short. */
export const truncateFiles: Fault = {
  async inject(victim) {
    const files = await drawChunkFiles(victim);
    return breakEach(files, async (file) => {
      const { size } = await stat(file);
      await truncate(file, victim.numbers.below(Math.max(1, size)));
    });
  },
};
