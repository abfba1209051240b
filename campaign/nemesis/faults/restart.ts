import type { Bend } from '../../network/bend.js';
import type { Fault, Victim } from '../fault.js';

/** As an update does it: SIGTERM, and up again at once. */
export const restart: Fault = {
  async inject(victim) {
    await restartWith(victim);
    return 1;
  },
};

/** @param bend what is wrong with the peer from then on; nothing unless given */
export async function restartWith({ network, n }: Pick<Victim, 'network' | 'n'>, bend: Bend = {}): Promise<void> {
  await network.stop(n, { kill: false });
  await network.start(n, bend);
}

/** Something is wrong with the peer until it is started again. */
export function bent(draw: (victim: Victim) => Bend): Fault {
  return {
    async inject(victim) {
      await restartWith(victim, draw(victim));
      return 1;
    },
    relieve: (victim) => restartWith(victim),
  };
}
