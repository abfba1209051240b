import type { StripeRecord } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import { failuresLeft, vital } from './margins.js';

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
  /** By peer, without the chunks that have no place. */
  readonly held: ReadonlyMap<PeerId, number>;
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

export function layoutOf({ k, chunks, placement }: StripeRecord): Layout {
  const held = new Map<PeerId, number>();
  for (const place of placement) if (place !== undefined) held.set(place.peer, (held.get(place.peer) ?? 0) + 1);
  return { k, chunks: chunks.length, held };
}

/** Differs for layouts that do. */
export function layoutKey({ k, chunks, held }: Layout): string {
  const peers = [...held].map(([peer, amount]) => `${peer} ${String(amount)}`).sort();
  return `${String(k)} ${String(chunks)} ${peers.join(' ')}`;
}

/** @param denied a peer for each chunk that the record places there and that it does not have, or has damaged */
export function judgeStripe({ k, chunks, held }: Layout, denied: readonly PeerId[], machines: Machines): StripeSafety {
  const counted = new Map<PeerId, number>();
  let [readable, expected] = [0, 0];
  for (const [peer, amount] of held) {
    const { standing, up } = machines.get(peer) ?? NOBODY;
    const had = amount - denied.filter((other) => other === peer).length;
    if (up && had > 0) readable += had;
    if (standing === 'up' && had > 0) counted.set(peer, had);
    if (standing === 'up' || standing === 'down') expected += Math.max(0, had);
  }
  const isWaiting = expected < chunks;
  if (readable < k) {
    return { ...RECORD_LOST, isWaiting, mayFail: readable - k, zonesMayFail: readable - k };
  }
  const sure = [...counted.values()].reduce((sum, amount) => sum + amount, 0);
  const zones = zonesOf(counted, machines);
  const mayFail = Math.max(0, failuresLeft([...counted.values()], k));
  return {
    state: mayFail === 0 ? 'atRisk' : sure < chunks ? 'degraded' : 'healthy',
    isWhole: sure === chunks,
    isWaiting,
    mayFail,
    zonesMayFail: Math.max(0, failuresLeft([...zones.values()], k)),
    // Where only those who are distrusted make it readable, everybody else is needed.
    vital: sure < k ? [...counted.keys()] : vital(counted, k),
    vitalZones: (sure < k ? [...zones.keys()] : vital(zones, k)).flatMap((zone) => nameOf(zone) ?? []),
  };
}

const NOBODY: Machine = { standing: 'out', up: false, zone: '' };

/** A machine without a zone stands for itself: no zone's name begins like that. */
const ALONE = '\0';

function zonesOf(counted: ReadonlyMap<PeerId, number>, machines: Machines): Map<string, number> {
  const zones = new Map<string, number>();
  for (const [peer, amount] of counted) {
    const named = machines.get(peer)?.zone ?? '';
    const zone = named === '' ? ALONE + peer : named;
    zones.set(zone, (zones.get(zone) ?? 0) + amount);
  }
  return zones;
}

function nameOf(zone: string): string | undefined {
  return zone.startsWith(ALONE) ? undefined : zone;
}
