import type { Fault } from '../fault.js';

/** Half a partition, the worse half: others do not reach the peer, which reaches them and believes that all is well. */
export const cutOff: Fault = {
  async inject({ network, n }) {
    network.cutOff(n);
    return 1;
  },
  async relieve({ network, n }) {
    network.mendWire(n);
  },
};
