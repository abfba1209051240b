import { rm } from 'node:fs/promises';
import type { Fault } from '../fault.js';

/** A peer whose disk of chunks is replaced by an empty one; identity and documents lie elsewhere. */
export const loseDisk: Fault = {
  async inject({ network, n }) {
    await network.stop(n, { kill: true });
    await rm(network.storeOf(n), { recursive: true, force: true });
    return 1;
  },
  relieve: ({ network, n }) => network.start(n),
};
