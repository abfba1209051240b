import type { CampaignNetwork } from '../network/peers.js';
import type { Numbers } from '../numbers.js';

/** Those that break off what a peer does, and those after which bytes are gone until they are rebuilt. */
export const PASSING = ['kill', 'pause', 'restart', 'cut-off', 'slow', 'full-disk'] as const;
export const DESTRUCTIVE = ['flip-bits', 'truncate-files', 'delete-files', 'flip-index', 'lose-disk'] as const;
export const FAULT_KINDS = [...PASSING, ...DESTRUCTIVE] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export function isDestructive(kind: FaultKind): boolean {
  return (DESTRUCTIVE as readonly string[]).includes(kind);
}

export interface Victim {
  readonly network: CampaignNetwork;
  readonly n: number;
  readonly numbers: Numbers;
  readonly remark: (text: string) => void;
}

/** One kind of fault. */
export interface Fault {
  /** @returns how many things it broke: files, bits, or the peer itself; 0 when there was nothing to break */
  inject(victim: Victim): Promise<number>;
  /** Takes away what caused it, where something goes on; what it broke stays broken, for the network to heal. */
  relieve?(victim: Victim): Promise<void>;
}
