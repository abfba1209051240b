import type { PeerId } from '../chunk/ids.js';
import { failuresLeft } from './margins.js';

/**
 * up: it answers, and may be counted on. down: it does not answer now. distrusted: it failed audits, so what it has is being
 * rebuilt elsewhere; what it sends can be checked, and be read. out: it is gone for the grace period, or no member.
 */
export type Standing = 'up' | 'down' | 'distrusted' | 'out';

/** How a machine that holds chunks stands. */
export interface Machine {
  readonly standing: Standing;
  /** It answers. */
  readonly up: boolean;
  readonly zone: string;
}

export type Machines = ReadonlyMap<PeerId, Machine>;

/** How a stripe is laid out. Stripes of the same layout are judged once. */
export interface Layout {
  readonly k: number;
  /** k + m. */
  readonly chunks: number;
  /** For each chunk that has a place, its peer; those of one peer side by side. */
  readonly peers: readonly PeerId[];
}

/**
 * healthy: all chunks are where they should be. degraded: some are not, and any machine may fail. atRisk: there is a machine
 * that may not fail now. lost: it cannot be read now.
 */
export type SafetyState = 'healthy' | 'degraded' | 'atRisk' | 'lost';

export interface StripeSafety {
  readonly state: SafetyState;
  /** All chunks are where they should be, and their machines answer. */
  readonly isWhole: boolean;
  /** A chunk is to be rebuilt: nobody can be counted on for it. Not for one whose machine is merely down. */
  readonly isWaiting: boolean;
  /** So many machines may fail, whichever they are; below 0: so many chunks are missing now. */
  readonly mayFail: number;
  /** Likewise of whole zones; a machine without a zone is one of its own. */
  readonly zonesMayFail: number;
  /** Machines none of which may fail. */
  readonly vital: readonly PeerId[];
  /** Zones none of which may fail as a whole: named ones. */
  readonly vitalZones: readonly string[];
}

/** Its record is not to be had: where its chunks lie is not known. */
export const RECORD_LOST: StripeSafety = {
  state: 'lost',
  isWhole: false,
  isWaiting: false,
  mayFail: -1,
  zonesMayFail: -1,
  vital: [],
  vitalZones: [],
};

/** @param denied a peer for each chunk that the record places there and that it does not have, or has damaged */
export function judgeStripe({ k, chunks, peers }: Layout, denied: readonly PeerId[], machines: Machines): StripeSafety {
  const counted = new Groups<PeerId>();
  const zones = new Groups<string>();
  let [readable, expected] = [0, 0];
  for (let at = 0; at < peers.length;) {
    const peer = peers[at];
    if (peer === undefined) break;
    let had = 0;
    for (; peers[at] === peer; at++) had++;
    if (denied.length > 0) had = Math.max(0, had - denied.filter((other) => other === peer).length);
    const { standing, up, zone } = machines.get(peer) ?? NOBODY;
    if (up) readable += had;
    if (standing === 'up' || standing === 'down') expected += had;
    if (standing !== 'up' || had === 0) continue;
    counted.add(peer, had);
    zones.add(zone === '' ? peer : NAMED + zone, had);
  }
  const isWaiting = expected < chunks;
  if (readable < k) return { ...RECORD_LOST, isWaiting, mayFail: readable - k, zonesMayFail: readable - k };
  const sure = counted.total;
  const mayFail = Math.max(0, failuresLeft(counted.amounts, k));
  return {
    state: mayFail === 0 ? 'atRisk' : sure < chunks ? 'degraded' : 'healthy',
    isWhole: sure === chunks,
    isWaiting,
    mayFail,
    zonesMayFail: Math.max(0, failuresLeft(zones.amounts, k)),
    vital: counted.vital(k),
    vitalZones: zones.vital(k).flatMap((zone) => (zone.startsWith(NAMED) ? zone.slice(NAMED.length) : [])),
  };
}

const NOBODY: Machine = { standing: 'out', up: false, zone: '' };
/** A machine without a zone stands for itself, by its id, which does not begin like that. */
const NAMED = 'zone ';

/** Chunks by who has them: a few, so they are looked through. */
class Groups<Name> {
  readonly #names: Name[] = [];
  readonly amounts: number[] = [];
  total = 0;

  add(name: Name, amount: number): void {
    this.total += amount;
    const at = this.#names.indexOf(name);
    if (at >= 0) this.amounts[at] = (this.amounts[at] ?? 0) + amount;
    else {
      this.#names.push(name);
      this.amounts.push(amount);
    }
  }

  /** Those each of which is needed; all, where only others who are distrusted make up for what lacks. */
  vital(k: number): Name[] {
    if (this.amounts.every((amount) => this.total - amount >= k)) return [];
    return this.#names.filter((_, at) => this.total - (this.amounts[at] ?? 0) < k);
  }
}
