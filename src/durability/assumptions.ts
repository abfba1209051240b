import { StorageError } from '../errors.js';
import type { Scheme } from '../peers/scheme.js';

/** What a stripe's fate depends on. Times are in years, rates in events a year; each is exponential, that is, without memory. */
export interface Assumptions {
  readonly scheme: Scheme;
  /** Over which the n chunks of a stripe are spread as evenly as can be; 1 where there are none. */
  readonly zones: number;
  /** How often a peer's disk is lost for good: 1 / mean time to failure. */
  readonly peerLossRate: number;
  /** How often a whole zone is lost at once: fire, theft, a provider that ends. */
  readonly zoneLossRate: number;
  /** Mean time from a loss until the chunk lies elsewhere: the grace period and the moving. */
  readonly repairTime: number;
}

export const HOURS_PER_YEAR = 24 * 365.25;

/** @throws StorageError INVALID_ARGUMENT for what is no possible world */
export function checkAssumptions({ scheme, zones, peerLossRate, zoneLossRate, repairTime }: Assumptions): void {
  const n = scheme.k + scheme.m;
  refuse(!(Number.isInteger(scheme.k) && scheme.k >= 1), 'k must be a whole number, 1 or more.');
  refuse(!(Number.isInteger(scheme.m) && scheme.m >= 1), 'm must be a whole number, 1 or more.');
  refuse(!(Number.isInteger(zones) && zones >= 1), 'The number of zones must be a whole number, 1 or more.');
  refuse(n > MAX_CHUNKS, `A stripe has at most ${String(MAX_CHUNKS)} chunks, not ${String(n)}.`);
  refuse(!(peerLossRate > 0 && Number.isFinite(peerLossRate)), 'The mean time to failure must be more than 0.');
  refuse(!(zoneLossRate >= 0 && Number.isFinite(zoneLossRate)), 'A zone cannot be lost less often than never.');
  refuse(!(repairTime > 0 && Number.isFinite(repairTime)), 'The time to repair must be more than 0.');
}

/** Chunks of a stripe in each zone, most first. */
export function chunksByZone({ scheme, zones }: Pick<Assumptions, 'scheme' | 'zones'>): number[] {
  const n = scheme.k + scheme.m;
  const used = Math.min(zones, n);
  return Array.from({ length: used }, (_, zone) => Math.floor(n / used) + (zone < n % used ? 1 : 0));
}

/** The states of the chain grow with it. */
const MAX_CHUNKS = 32;

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new StorageError('INVALID_ARGUMENT', message);
}
