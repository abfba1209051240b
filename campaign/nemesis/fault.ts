import type { CampaignNetwork } from '../network/peers.js';
import type { Numbers } from '../numbers.js';

/** Those that break off or distort what a peer does. */
export const PASSING = [
  'kill',
  'pause',
  'restart',
  'cut-off',
  'isolate',
  'split',
  'slow',
  'slow-disk',
  'full-disk',
  'clock',
  'old-couch',
  'wrong-bytes',
  'false-deletes',
] as const;
/** Those after which bytes are gone until they are rebuilt. */
export const DESTRUCTIVE = [
  'flip-bits',
  'truncate-files',
  'delete-files',
  'flip-index',
  'lose-disk',
  'false-holding',
] as const;
export const FAULT_KINDS = [...PASSING, ...DESTRUCTIVE] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export function isDestructive(kind: FaultKind): boolean {
  return (DESTRUCTIVE as readonly string[]).includes(kind);
}

export interface Victim {
  readonly network: CampaignNetwork;
  readonly n: number;
  readonly numbers: Numbers;
  readonly signal: AbortSignal;
  readonly remark: (text: string) => void;
}

/** One kind of fault. */
export interface Fault {
  /** @returns how many things it broke: files, bits, or the peer itself; 0 when there was nothing to break */
  inject(victim: Victim): Promise<number>;
  /** Takes away what caused it, where something goes on; what it broke stays broken, for the network to heal. */
  relieve?(victim: Victim): Promise<void>;
}
