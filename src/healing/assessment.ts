import { createHash } from 'node:crypto';
import { utf8 } from '../bytes.js';
import type { StripeRecord } from '../catalog/catalog.js';
import type { ChunkId, PeerId, StripeId } from '../chunk/ids.js';
import type { PeerBook } from '../peers/peer-book.js';
import { type Candidate, candidateOf } from '../peers/placement.js';
import type { AuditBook } from './audit-book.js';
import type { Liveness } from './liveness.js';

/** What was found wrong with single chunks. */
type Faults = Pick<AuditBook, 'isFaulty' | 'faults'> & { readonly denials: Pick<AuditBook['denials'], 'published'> };

/** What this peer thinks of the others at this moment. */
export class PeerView {
  readonly #book: PeerBook;
  readonly #liveness: Pick<Liveness, 'isGone'>;
  readonly #audits: Faults;

  constructor(book: PeerBook, liveness: Pick<Liveness, 'isGone'>, audits: Faults) {
    this.#book = book;
    this.#liveness = liveness;
    this.#audits = audits;
  }

  /** A member that is not gone and has not failed audits; it may be down for the moment. */
  isGood(peer: PeerId): boolean {
    return this.#book.isMember(peer) && !this.#liveness.isGone(peer) && this.#book.isTrusted(peer);
  }

  /** Silent for the grace period. */
  isGone(peer: PeerId): boolean {
    return this.#liveness.isGone(peer);
  }

  /** Its chunks are to be moved before it leaves. */
  isLeaving(peer: PeerId): boolean {
    return this.#book.get(peer)?.state === 'draining';
  }

  /** Somebody is to leave. */
  isAnyLeaving(): boolean {
    return this.#book.list().some(({ state }) => state === 'draining');
  }

  /** There is a peer that could take another chunk of the stripe. */
  hasPlaceFor({ placement }: Pick<StripeRecord, 'placement'>): boolean {
    const taken = new Set(placement.flatMap((held) => held?.peer ?? []));
    return this.#book.targets().some(({ id }) => !taken.has(id) && this.isGood(id));
  }

  /** Among whom placement chooses. */
  candidates(): readonly Candidate[] {
    return this.#book
      .targets()
      .filter(({ id }) => this.isGood(id))
      .map(candidateOf);
  }

  /** It may be counted on for this chunk. */
  holds(peer: PeerId, chunk: ChunkId): boolean {
    return this.isGood(peer) && !this.isFaulty(peer, chunk);
  }

  /** What it has of this chunk is damaged. */
  isFaulty(peer: PeerId, chunk: ChunkId): boolean {
    return this.#audits.isFaulty(peer, chunk);
  }

  /** Changes whenever a survey would find something else. */
  fingerprint(): string {
    const peers = this.#book.list().map(({ id, state }) => `${id} ${state} ${String(this.isGood(id))}`);
    const faults = this.#audits.faults().map(({ peer, chunk }) => `${peer} ${chunk}`);
    return createHash('sha256')
      .update([...peers, ...faults].sort().join('\n'))
      .update(String(this.#audits.denials.published))
      .digest('hex');
  }
}

/** How a stripe stands by its record. */
export interface Assessment {
  /** Chunks that nobody can be counted on for. */
  readonly lacking: readonly number[];
  /** Chunks at peers that are leaving. */
  readonly leaving: readonly number[];
  /** So many more chunks may be lost; below 0 the stripe cannot be rebuilt from what can be counted on. */
  readonly margin: number;
}

export function assess({ chunks, placement, k }: StripeRecord, view: PeerView): Assessment {
  const lacking: number[] = [];
  const leaving: number[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const peer = placement[index]?.peer;
    if (peer === undefined || !view.holds(peer, chunk)) lacking.push(index);
    else if (view.isLeaving(peer)) leaving.push(index);
  }
  return { lacking, leaving, margin: chunks.length - lacking.length - k };
}

/**
 * When it is this peer's turn to repair a stripe, from 0: its good holders in an order that follows from the ids, so all of
 * them know it without asking; then everybody else who knows the stripe.
 */
export function turnOf(self: PeerId, { id, chunks, placement }: StripeRecord, view: PeerView): number {
  const holders = chunks.flatMap((chunk, index) => {
    const peer = placement[index]?.peer;
    return peer === undefined || !view.holds(peer, chunk) || view.isLeaving(peer) ? [] : peer;
  });
  const order = [...new Set(holders)].map((peer) => ({ peer, score: scoreOf(id, peer) }));
  order.sort((a, b) => (a.score < b.score ? -1 : 1));
  const at = order.findIndex(({ peer }) => peer === self);
  return at < 0 ? order.length : at;
}

function scoreOf(stripe: StripeId, peer: PeerId): string {
  return createHash('sha256').update(utf8('shoal/repair/1')).update(stripe, 'hex').update(peer, 'hex').digest('hex');
}
