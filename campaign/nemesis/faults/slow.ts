import type { Fault } from '../fault.js';

/** For each piece that passes, in either direction. */
const DELAY_MS = { least: 20, most: 250 };

/** A line over which everything takes long. */
export const slow: Fault = {
  async inject({ network, n, numbers }) {
    network.slowDown(n, numbers.between(DELAY_MS.least, DELAY_MS.most));
    return 1;
  },
  async relieve({ network, n }) {
    network.mendWire(n);
  },
};
