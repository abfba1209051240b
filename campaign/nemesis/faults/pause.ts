import type { Fault } from '../fault.js';

/** SIGSTOP: connections stay open, and nobody answers. */
export const pause: Fault = {
  async inject({ network, n }) {
    network.pause(n);
    return 1;
  },
  async relieve({ network, n }) {
    network.resume(n);
  },
};
