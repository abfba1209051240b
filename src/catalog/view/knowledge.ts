import { toHex } from '../../bytes.js';
import { idBytes, type PeerId } from '../../chunk/ids.js';
import type { Seen } from '../../gen/shoal/v1/format.js';
import type { ChangeStamp } from './stamp.js';

/** What somebody knew when writing: of each peer, all changes up to a counter. */
export type Knowledge = ReadonlyMap<PeerId, number>;

export function knows(knowledge: Knowledge, { peer, counter }: ChangeStamp): boolean {
  return counter <= (knowledge.get(peer) ?? -1);
}

/** Whether all that the one knows the other knows as well. */
export function covers(knowledge: Knowledge, other: Knowledge): boolean {
  return [...other].every(([peer, counter]) => counter <= (knowledge.get(peer) ?? -1));
}

/** @param heads of each peer the newest change before which none is missing */
export function knowledgeOf(heads: readonly ChangeStamp[]): Knowledge {
  return new Map(heads.map(({ peer, counter }) => [peer, counter]));
}

export function encodeKnowledge(knowledge: Knowledge): Seen[] {
  return [...knowledge].map(([peer, counter]) => ({ peer: idBytes(peer), counter }));
}

export function decodeKnowledge(seen: readonly Seen[]): Knowledge {
  return new Map(seen.map(({ peer, counter }) => [toHex(peer) as PeerId, counter]));
}
