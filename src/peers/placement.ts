import { createHash } from 'node:crypto';
import type { PeerId, StripeId } from '../chunk/ids.js';
import { utf8 } from '../bytes.js';
import type { PeerRecord } from './peer-record.js';

export interface Candidate {
  readonly id: PeerId;
  readonly zone: string;
  /** Share of chunks is proportional to it; 0 takes none. */
  readonly weight: number;
}

/** Chunks go to peers by the space that they offer. */
export function candidateOf({ id, zone, capacityBytes }: PeerRecord): Candidate {
  return { id, zone, weight: capacityBytes };
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights by −w / ln h as in Schindelhauer and Schomaker 2005):
 * every peer computes the same order from the same members, and a peer that comes or goes moves only its own share.
 */
function score(stripe: StripeId, candidate: Candidate): number {
  const digest = createHash('sha256')
    .update(utf8('shoal/place/1'))
    .update(stripe, 'hex')
    .update(candidate.id, 'hex')
    .digest();
  // 53 bits, shifted by half a step so that the logarithm of zero cannot occur.
  const uniform = (Number(digest.readBigUInt64BE() >> 11n) + 0.5) / 2 ** 53;
  return -candidate.weight / Math.log(uniform);
}

/**
 * Orders the candidates for a stripe: chunk i goes to the i-th, and whoever follows the n-th replaces a target that fails.
 * Zones come first: the next place goes to the highest score among the zones used least so far. Each candidate appears
 * once, so no peer gets two chunks of a stripe while there are n peers.
 *
 * @param zones of chunks that are placed already
 */
export function place(stripe: StripeId, candidates: readonly Candidate[], zones: readonly string[] = []): PeerId[] {
  const ranked = candidates
    .filter((candidate) => candidate.weight > 0)
    .map((candidate) => ({ candidate, score: score(stripe, candidate) }))
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? -1 : 1));
  const used = new Map<string, number>();
  for (const zone of zones) used.set(zone, (used.get(zone) ?? 0) + 1);
  const ordered: PeerId[] = [];
  while (ranked.length > 0) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [index, { candidate }] of ranked.entries()) {
      const count = used.get(candidate.zone) ?? 0;
      if (count < least) [best, least] = [index, count];
    }
    for (const { candidate } of ranked.splice(best, 1)) {
      used.set(candidate.zone, (used.get(candidate.zone) ?? 0) + 1);
      ordered.push(candidate.id);
    }
  }
  return ordered;
}
