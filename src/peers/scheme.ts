import { StorageError } from '../errors.js';
import { MAX_PLACED_CHUNKS, MIN_DATA_CHUNKS } from '../limits.js';

/** How a stripe is coded: any k of its n = k + m chunks rebuild it. */
export interface Scheme {
  readonly k: number;
  readonly m: number;
}

/** From this many peers on, two may be lost by default; below it, one. */
const PEERS_FOR_TWO = 6;

/** Peers that may be lost where the policy does not say. */
export function defaultTolerance(peers: number): number {
  return peers >= PEERS_FOR_TWO ? 2 : 1;
}

/**
 * n = min(peers, MAX_PLACED_CHUNKS), m = tolerate, k = n − m ≥ 2: every peer holds one chunk of a stripe, so none can
 * rebuild it alone and the loss of `tolerate` peers loses no file.
 *
 * @param peers members that accept chunks, whether they answer at this moment or not
 * @throws StorageError TOO_FEW_PEERS, INVALID_ARGUMENT for a tolerance that is not a whole number ≥ 1
 */
export function schemeFor(peers: number, tolerate = defaultTolerance(peers)): Scheme {
  if (!Number.isInteger(tolerate) || tolerate < 1) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `The policy must tolerate the loss of at least one peer, not ${String(tolerate)}.`,
    );
  }
  const n = Math.min(peers, MAX_PLACED_CHUNKS);
  if (n - tolerate < MIN_DATA_CHUNKS) {
    throw new StorageError(
      'TOO_FEW_PEERS',
      `The network has ${String(peers)} ${peers === 1 ? 'peer' : 'peers'}; to survive the loss of ${String(tolerate)} it needs at least ${String(tolerate + MIN_DATA_CHUNKS)}. Add peers, or lower the policy's "tolerate".`,
    );
  }
  return { k: n - tolerate, m: tolerate };
}

/** Receipts without which a put fails: below k + ⌈m/2⌉ one more loss could take the file. */
export function requiredReceipts(scheme: Scheme): number {
  return scheme.k + Math.ceil(scheme.m / 2);
}
