import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../../src/errors.js';
import { flipBits } from '../chunk-files.js';
import type { Fault } from '../fault.js';

const MOST_BITS = 8;

/** Bits that turn over in the database of a store, while its peer is down. */
export const flipIndex: Fault = {
  async inject({ network, n, numbers }) {
    await network.stop(n, { kill: false });
    const bits = numbers.between(1, MOST_BITS);
    await flipBits(join(network.storeOf(n), 'index.sqlite'), bits, numbers);
    return bits;
  },
  /** A peer may refuse to work with a damaged database; then whoever runs it takes the whole store away, as with a lost disk. */
  async relieve({ network, n, remark }) {
    try {
      await network.start(n);
    } catch (error) {
      if (!StorageError.is(error)) throw error;
      remark(`peer ${String(n)} did not start with a damaged index, and got an empty store: ${error.message}`);
      await network.stop(n, { kill: true });
      await rm(network.storeOf(n), { recursive: true, force: true });
      await network.start(n);
    }
  },
};
