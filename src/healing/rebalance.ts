import type { StripeRecord } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import { HOLDER_FAVOUR } from '../limits.js';
import { type Candidate, place } from '../peers/placement.js';

/** A chunk that placement would give to another peer than the one that has it. */
export interface DisplacedChunk {
  /** Of the chunk in its stripe. */
  readonly index: number;
  readonly from: PeerId;
  readonly to: PeerId;
}

/**
 * What of a stripe whose chunks all have a holder would move if it were stored now, one chunk at a time: the same rendezvous
 * hashing over the same zones as for a put, so of all data about the share of a new peer moves, all of it to that peer. Those
 * that hold chunks count for HOLDER_FAVOUR times their weight, so nothing moves for a little more room somewhere, and nothing
 * moves back. A move that would put more chunks of the stripe into one zone is not made.
 *
 * @param candidates members that take chunks and are in good standing
 */
export function displacedChunk(
  { id, placement }: Pick<StripeRecord, 'id' | 'placement'>,
  candidates: readonly Candidate[],
): DisplacedChunk | undefined {
  const holders = placement.flatMap((held) => held?.peer ?? []);
  const held = new Set(holders);
  if (held.size < placement.length || candidates.length <= placement.length) return undefined;
  const favoured = candidates.map((each) =>
    held.has(each.id) ? { ...each, weight: each.weight * HOLDER_FAVOUR } : each,
  );
  const wanted = place(id, favoured).slice(0, placement.length);
  const zones = new Map(candidates.map((each) => [each.id, each.zone]));
  for (const to of wanted) {
    if (held.has(to)) continue;
    for (const [index, from] of holders.entries()) {
      if (wanted.includes(from)) continue;
      const after = holders.map((peer) => (peer === from ? to : peer));
      if (crowding(after, zones) <= crowding(holders, zones)) return { index, from, to };
    }
  }
  return undefined;
}

/** Less is better: the squares of how many chunks lie in each zone. */
function crowding(peers: readonly PeerId[], zones: ReadonlyMap<PeerId, string>): number {
  const counts = new Map<string, number>();
  for (const peer of peers) {
    const zone = zones.get(peer) ?? '';
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
  }
  return [...counts.values()].reduce((sum, count) => sum + count * count, 0);
}
