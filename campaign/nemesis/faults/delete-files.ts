import { unlink } from 'node:fs/promises';
import { breakEach, drawChunkFiles } from '../chunk-files.js';
import type { Fault } from '../fault.js';

/** Files that somebody has removed. */
export const deleteFiles: Fault = {
  async inject(victim) {
    return breakEach(await drawChunkFiles(victim), unlink);
  },
};
