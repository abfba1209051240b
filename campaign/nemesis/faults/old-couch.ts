import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import type { CampaignNetwork } from '../../network/peers.js';
import type { Fault } from '../fault.js';

/** Somebody puts back the databases of a backup host as they were at the last such fault, or at the beginning of this one. */
export const oldCouch: Fault = {
  async inject({ network, n }) {
    await network.stop(n, { kill: false });
    await cp(network.couchOf(n), keptOf(network, n, 'new'), { recursive: true });
    await network.start(n);
    return 1;
  },
  async relieve({ network, n }) {
    const [older, newer] = [keptOf(network, n, 'old'), keptOf(network, n, 'new')];
    await network.stop(n, { kill: false });
    await rm(network.couchOf(n), { recursive: true });
    // The first time there is nothing older yet.
    if (existsSync(older)) await rename(older, network.couchOf(n));
    else await cp(newer, network.couchOf(n), { recursive: true });
    await rename(newer, older);
    await network.start(n);
  },
};

function keptOf(network: CampaignNetwork, n: number, which: 'old' | 'new'): string {
  return network.folderFor(`couch-${String(n)}-${which}`);
}
