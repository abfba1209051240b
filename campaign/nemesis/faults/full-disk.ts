import type { Fault, Victim } from '../fault.js';

/** A peer that has no room for anything more; what it has it keeps. */
export const fullDisk: Fault = {
  async inject(victim) {
    await restartWithRoom(victim, 1);
    return 1;
  },
  relieve: (victim) => restartWithRoom(victim, undefined),
};

async function restartWithRoom(
  { network, n }: Pick<Victim, 'network' | 'n'>,
  capacityBytes: number | undefined,
): Promise<void> {
  await network.stop(n, { kill: false });
  await network.changeSettings(n, { capacityBytes });
  await network.start(n);
}
