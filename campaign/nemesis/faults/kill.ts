import type { Fault } from '../fault.js';

/** kill -9: what is in no file is gone. */
export const kill: Fault = {
  async inject({ network, n }) {
    await network.stop(n, { kill: true });
    return 1;
  },
  relieve: ({ network, n }) => network.start(n),
};
