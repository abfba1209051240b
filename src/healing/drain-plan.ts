import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import { DEPARTURE_ASKS } from '../limits.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { knownStripes } from './chunk-labels.js';
import { askMembers, type HealingNetwork } from './stripe-holders.js';

export interface Amount {
  readonly chunks: number;
  readonly bytes: number;
}

/** What becomes of the chunks of a peer when it leaves, by the records that are known here, and by what its peers have. */
export interface DrainPlan {
  /** Other peers can take them. */
  readonly moving: Amount;
  /** Every other peer has a chunk of their stripes already, or is no place: these are one chunk short when the peer has left. */
  readonly staying: Amount;
  /** Of both: such as only `peers` could take, which do not answer, and are not gone yet. */
  readonly awaited: Amount & { readonly peers: readonly PeerRecord[] };
  /** Of the stripes of those that stay: so many cannot be read any more then. */
  readonly unreadable: number;
  /** So many more peers may fail then, of the stripes that are worst off; undefined when nothing stays. */
  readonly margin: number | undefined;
  /** Room of the peers that could take some of them, as far as the records say. */
  readonly roomBytes: number;
}

export interface DrainPlanParts extends HealingNetwork {
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
  /** Peers that answer now: only members among these count as left. */
  readonly answering: ReadonlySet<PeerId>;
  /** Silent for the grace period. */
  readonly gone: ReadonlySet<PeerId>;
  /** Whether a peer counts as a place that does not answer, and is not gone yet. */
  readonly awaits: boolean;
}

type Adding = { -readonly [Name in keyof Amount]: number };

/** Looks at the stripes that this peer knows, which need not be all that there are: only the one that leaves has them all. */
export async function planDrain(leaving: PeerId, parts: DrainPlanParts, signal: AbortSignal): Promise<DrainPlan> {
  const { catalog, book, answering, gone, awaits } = parts;
  const targets = book
    .targets()
    .filter(({ id }) => id !== leaving && book.isTrusted(id) && (answering.has(id) || !gone.has(id)));
  const takers = new Set<PeerRecord>();
  const usedBytes = new Map<PeerId, number>();
  const [moving, staying, awaited]: [Adding, Adding, Adding] = [
    { chunks: 0, bytes: 0 },
    { chunks: 0, bytes: 0 },
    { chunks: 0, bytes: 0 },
  ];
  const silent = new Set<PeerRecord>();
  let unreadable = 0;
  let margin: number | undefined;
  const remaining = new Remaining(leaving, parts, signal);
  const stuck: StripeRecord[] = [];
  const ask = async (): Promise<void> => {
    for (const spare of await remaining.beyondK(stuck.splice(0))) {
      if (spare < 0) unreadable++;
      margin = Math.min(margin ?? Number.POSITIVE_INFINITY, spare);
    }
  };
  for await (const record of knownStripes({ catalog }, signal)) {
    const holders = holdersOf(record);
    for (const peer of holders) usedBytes.set(peer, (usedBytes.get(peer) ?? 0) + record.chunkBytes);
    if (!holders.has(leaving)) continue;
    const free = targets.filter(({ id }) => !holders.has(id));
    const atOnce = free.filter(({ id }) => answering.has(id));
    if (free.length > 0 && atOnce.length === 0) {
      add(awaited, record);
      for (const peer of free) silent.add(peer);
    }
    const places = awaits ? free : atOnce;
    for (const taker of places) takers.add(taker);
    add(places.length > 0 ? moving : staying, record);
    if (places.length > 0) continue;
    stuck.push(record);
    if (stuck.length === DEPARTURE_ASKS) await ask();
  }
  await ask();
  let roomBytes = 0;
  for (const { id, capacityBytes } of takers) roomBytes += Math.max(0, capacityBytes - (usedBytes.get(id) ?? 0));
  return { moving, staying, awaited: { ...awaited, peers: [...silent] }, unreadable, margin, roomBytes };
}

/** What is left of stripes without a peer: what the others have, whatever the records say. Who is to leave, too, is not counted on. */
class Remaining {
  readonly #leaving: PeerId;
  readonly #parts: DrainPlanParts;
  readonly #signal: AbortSignal;
  /** Whoever leaves one question unanswered is asked no more: each costs its patience. */
  readonly #silent = new Set<PeerId>();

  constructor(leaving: PeerId, parts: DrainPlanParts, signal: AbortSignal) {
    this.#leaving = leaving;
    this.#parts = parts;
    this.#signal = signal;
  }

  /** @returns of each stripe how many chunks it has more than k; below 0 it lacks so many */
  async beyondK(stripes: readonly StripeRecord[]): Promise<number[]> {
    return await Promise.all(
      stripes.map(async (stripe) => {
        const { holders, silent } = await askMembers(stripe, this.#parts, this.#signal, (peer) => this.#stays(peer));
        for (const peer of silent) this.#silent.add(peer);
        return new Set(holders.map(({ index }) => index)).size - stripe.k;
      }),
    );
  }

  #stays(peer: PeerId): boolean {
    const { book, answering } = this.#parts;
    const isMember = book.get(peer)?.state === 'member';
    return isMember && peer !== this.#leaving && answering.has(peer) && !this.#silent.has(peer);
  }
}

function add(to: Adding, { chunkBytes }: StripeRecord): void {
  to.chunks++;
  to.bytes += chunkBytes;
}

function holdersOf({ placement }: StripeRecord): Set<PeerId> {
  return new Set(placement.flatMap((held) => held?.peer ?? []));
}
