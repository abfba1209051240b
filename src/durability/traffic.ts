import { HOURS_PER_YEAR } from './assumptions.js';
import type { Scheme } from '../peers/scheme.js';

export interface Repairs {
  readonly scheme: Scheme;
  readonly peers: number;
  /** Bytes of chunks on each peer. */
  readonly bytesPerPeer: number;
  /** What each peer gives to repair, bytes a second. */
  readonly bytesPerSecond: number;
  /** How long a peer may be away before it counts as lost. */
  readonly graceHours: number;
  readonly peerLossRate: number;
}

export interface RepairCost {
  /** From the loss of a peer until its chunks lie elsewhere. */
  readonly hours: number;
  /** Moved for each lost peer: k chunks for each one that is rebuilt. */
  readonly bytesPerLoss: number;
  /** On average, what each peer moves for repair, bytes a second. */
  readonly meanBytesPerSecond: number;
}

/** The chunks of a lost peer are rebuilt by all others at once, each doing its share. */
export function repairCost(repairs: Repairs): RepairCost {
  const { scheme, peers, bytesPerPeer, bytesPerSecond, graceHours, peerLossRate } = repairs;
  const bytesPerLoss = scheme.k * bytesPerPeer;
  const helpers = Math.max(1, peers - 1);
  return {
    hours: graceHours + bytesPerLoss / (helpers * bytesPerSecond) / 3600,
    bytesPerLoss,
    meanBytesPerSecond: (peerLossRate * bytesPerLoss) / (HOURS_PER_YEAR * 3600),
  };
}
