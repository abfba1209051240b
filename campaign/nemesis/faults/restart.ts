import type { Fault } from '../fault.js';

/** As an update does it: SIGTERM, and up again at once. */
export const restart: Fault = {
  async inject({ network, n }) {
    await network.stop(n, { kill: false });
    await network.start(n);
    return 1;
  },
};
