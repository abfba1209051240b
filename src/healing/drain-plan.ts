import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { knownStripes } from './chunk-labels.js';

export interface Amount {
  readonly chunks: number;
  readonly bytes: number;
}

/** What becomes of the chunks of a peer when it leaves, by the records that are known here. */
export interface DrainPlan {
  /** Other peers can take them. */
  readonly moving: Amount;
  /** Every other peer has a chunk of their stripes already: these are one chunk short when the peer has left. */
  readonly staying: Amount;
  /** Of the stripes of those that stay: so many cannot be read any more then. */
  readonly unreadable: number;
  /** So many more peers may fail then, of the stripes that are worst off; undefined when nothing stays. */
  readonly margin: number | undefined;
  /** Room of the peers that could take some of them, as far as the records say. */
  readonly roomBytes: number;
}

export interface DrainPlanParts {
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
  readonly book: PeerBook;
  /** Peers that answer now: only these count as left. */
  readonly answering: ReadonlySet<PeerId>;
}

type Adding = { -readonly [Name in keyof Amount]: number };

/** Looks at all stripes that this peer knows: all there are, where it hosts the databases. */
export async function planDrain(leaving: PeerId, parts: DrainPlanParts, signal: AbortSignal): Promise<DrainPlan> {
  const { catalog, book, answering } = parts;
  const targets = book.targets().filter(({ id }) => id !== leaving && book.isTrusted(id));
  const takers = new Set<PeerRecord>();
  const usedBytes = new Map<PeerId, number>();
  const [moving, staying]: [Adding, Adding] = [
    { chunks: 0, bytes: 0 },
    { chunks: 0, bytes: 0 },
  ];
  let unreadable = 0;
  let margin: number | undefined;
  for await (const record of knownStripes({ catalog }, signal)) {
    const holders = holdersOf(record);
    for (const peer of holders) usedBytes.set(peer, (usedBytes.get(peer) ?? 0) + record.chunkBytes);
    if (!holders.has(leaving)) continue;
    const free = targets.filter(({ id }) => !holders.has(id));
    for (const taker of free) takers.add(taker);
    const hasPlace = free.length > 0;
    const amount = hasPlace ? moving : staying;
    amount.chunks++;
    amount.bytes += record.chunkBytes;
    if (hasPlace) continue;
    const left = [...holders].filter((peer) => peer !== leaving && book.isMember(peer) && answering.has(peer)).length;
    if (left < record.k) unreadable++;
    margin = Math.min(margin ?? Number.POSITIVE_INFINITY, left - record.k);
  }
  let roomBytes = 0;
  for (const { id, capacityBytes } of takers) roomBytes += Math.max(0, capacityBytes - (usedBytes.get(id) ?? 0));
  return { moving, staying, unreadable, margin, roomBytes };
}

function holdersOf({ placement }: StripeRecord): Set<PeerId> {
  return new Set(placement.flatMap((held) => held?.peer ?? []));
}
