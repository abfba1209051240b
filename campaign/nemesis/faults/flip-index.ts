import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../../src/errors.js';
import { flipBits } from '../chunk-files.js';
import type { Fault } from '../fault.js';

const MOST_BITS = 8;
/** The only thing that the end of a process tells of its reason is its log. */
const DAMAGED = 'is damaged: stop this peer, move its folder away and start again';

/** Bits that turn over in the database of a store, while its peer is down. */
export const flipIndex: Fault = {
  async inject({ network, n, numbers }) {
    await network.stop(n, { kill: false });
    const bits = numbers.between(1, MOST_BITS);
    await flipBits(join(network.storeOf(n), 'index.sqlite'), bits, numbers);
    return bits;
  },
  /**
   * A peer may refuse to work with a damaged database, when it says so; then whoever runs it takes the whole store away, as
   * its message advises. A peer that does not start for any other reason has failed.
   */
  async relieve({ network, n, remark }) {
    try {
      await network.start(n);
    } catch (error) {
      if (!StorageError.is(error) || !error.message.includes(DAMAGED)) throw error;
      remark(`peer ${String(n)} did not start with a damaged index, and got an empty store: ${error.message}`);
      await network.stop(n, { kill: true });
      await rm(network.storeOf(n), { recursive: true, force: true });
      await network.start(n);
    }
  },
};
