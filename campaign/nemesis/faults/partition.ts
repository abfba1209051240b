import type { Fault } from '../fault.js';

/** Nobody reaches the peer, and it reaches nobody. */
export const isolate: Fault = {
  inject({ network, n }) {
    network.split([n]);
    return Promise.resolve(1);
  },
  relieve({ network }) {
    network.mendSplit();
    return Promise.resolve();
  },
};

/** Two halves, the peer in one of them: neither has what a put needs, and each goes on with names. */
export const split: Fault = {
  inject({ network, n, numbers }) {
    const others = numbers.shuffled(network.numbers.filter((other) => other !== n));
    const side = [n, ...others.slice(0, network.numbers.length / 2 - 1)];
    network.split(side);
    return Promise.resolve(side.length);
  },
  relieve({ network }) {
    network.mendSplit();
    return Promise.resolve();
  },
};
