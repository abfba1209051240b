import type { Catalog } from '../catalog/catalog.js';
import type { ChunkId, PeerId, StripeId } from '../chunk/ids.js';
import type { ReadLabel } from '../chunk/label.js';
import type { PeerLinks } from '../file/peer-links.js';
import { MAX_ASKED_HOLDERS, PING_TIMEOUT_MS } from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import { candidateOf, place } from '../peers/placement.js';
import { timeLimit } from '../time-limit.js';

/** What healing asks of the network around it. */
export interface HealingNetwork {
  readonly self: PeerId;
  readonly catalog: Pick<Catalog, 'stripes'>;
  readonly book: PeerBook;
  readonly links: Pick<PeerLinks, 'store'>;
}

/** A stripe as it is coded: what its label says, and its record too. */
export interface CodedStripe {
  readonly id: StripeId;
  readonly k: number;
  readonly m: number;
  readonly chunkBytes: number;
  /** k + m ids. */
  readonly chunks: readonly ChunkId[];
}

/** A chunk of a stripe may be had from a peer; nothing proves it but the bytes. */
export interface Holder {
  /** Of the chunk. */
  readonly index: number;
  readonly peer: PeerId;
}

/** What members said when they were asked. */
export interface AskedHolders {
  readonly holders: readonly Holder[];
  /** Members that did not answer: they may hold some. */
  readonly silent: readonly PeerId[];
}

export function stripeOfLabel({ stripe, k, m, chunkBytes, chunks }: ReadLabel): CodedStripe {
  return { id: stripe, k, m, chunkBytes, chunks };
}

/** What the record of a stripe says; nothing where this peer has none. */
export async function recordedHolders(
  { id }: CodedStripe,
  { catalog }: Pick<HealingNetwork, 'catalog'>,
): Promise<readonly Holder[]> {
  const [record] = await catalog.stripes([id]);
  return (record?.placement ?? []).flatMap((place, index) => (place === undefined ? [] : { index, peer: place.peer }));
}

/**
 * Asks the members themselves: the likely holders first, for placement gave the stripe to the first ones of its order, and
 * MAX_ASKED_HOLDERS at most. They get PING_TIMEOUT_MS to answer.
 *
 * @param among whoever else is not asked
 */
export async function askMembers(
  stripe: CodedStripe,
  network: HealingNetwork,
  signal: AbortSignal,
  among: (peer: PeerId) => boolean = () => true,
): Promise<AskedHolders> {
  const members = network.book.list().filter(({ id, state }) => state !== 'removed' && among(id));
  const candidates = members.map((member) => ({ ...candidateOf(member), weight: Math.max(1, member.capacityBytes) }));
  const asked = place(stripe.id, candidates).slice(0, MAX_ASKED_HOLDERS);
  const answers = await Promise.all(asked.map((peer) => ask(stripe, peer, network, signal)));
  return {
    holders: answers.flatMap((held) => held ?? []),
    silent: asked.filter((_, at) => answers[at] === undefined),
  };
}

async function ask(
  { chunks }: CodedStripe,
  peer: PeerId,
  { self, book, links }: HealingNetwork,
  signal: AbortSignal,
): Promise<readonly Holder[] | undefined> {
  using patience = timeLimit(PING_TIMEOUT_MS, signal);
  try {
    const held = await links.store(peer).has(chunks, { signal: patience.signal });
    return chunks.flatMap((chunk, index) => (held.has(chunk) ? { index, peer } : []));
  } catch {
    // Whatever is wrong with it: nothing can be had from it now.
    signal.throwIfAborted();
    if (peer !== self) book.reportFailure(peer);
    return undefined;
  }
}
