import type { Fault } from '../fault.js';

/** A peer that has no room for anything more; what it has it keeps. */
export const fullDisk: Fault = {
  async inject({ network, n }) {
    await restartWith({ network, n }, { capacityBytes: 1 });
    return 1;
  },
  async relieve({ network, n }) {
    await restartWith({ network, n }, { capacityBytes: undefined });
  },
};

async function restartWith(
  { network, n }: Pick<Parameters<Fault['inject']>[0], 'network' | 'n'>,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  await network.stop(n, { kill: false });
  await network.changeSettings(n, settings);
  await network.start(n);
}
