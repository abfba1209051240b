import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { Receipt } from '../chunk/chunk-store.js';
import type { PeerId, StripeId } from '../chunk/ids.js';
import { assert, wrapError, type StorageError } from '../errors.js';
import { MAX_SPARE_TARGETS, PING_TIMEOUT_MS, REPAIR_TARGET_REST_MS, REPAIR_TARGETS } from '../limits.js';
import { candidateOf, place } from '../peers/placement.js';
import { timeLimit } from '../time-limit.js';
import type { PullOrder } from '../wire/remote-store.js';
import type { PeerView } from './assessment.js';
import type { AuditBook } from './audit-book.js';
import type { HealingNetwork, Holder } from './stripe-holders.js';

export interface RepairNetwork extends HealingNetwork {
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds' | 'moveChunks'>;
  /** Makes any peer, this one too, take a chunk. */
  readonly pull: (peer: PeerId, order: PullOrder, options: { readonly signal: AbortSignal }) => Promise<Receipt>;
}

export interface RepairParts {
  readonly network: RepairNetwork;
  readonly view: PeerView;
  readonly audits: Pick<AuditBook, 'settle'>;
  /** Until when, in Unix time, a target gets nothing: it had no room, or did not answer. */
  readonly resting: Map<PeerId, number>;
  readonly clock: () => number;
}

export interface StripeOutcome {
  readonly stripe: StripeId;
  /** Rebuilt at another peer, or at the one that had lost them. */
  readonly rebuilt: number;
  /** Copied from a peer that is leaving. */
  readonly copied: number;
  /** They lay elsewhere than the record said, which says so now. */
  readonly found: number;
  /** Still without a good place. */
  readonly left: number;
  readonly movedBytes: number;
  /** Why some are left. */
  readonly reason?: string;
}

/** What the members said just now. */
interface Truth {
  readonly record: StripeRecord;
  readonly answered: ReadonlySet<PeerId>;
  /** Distrusted ones, too: they may be sources, for what they send is checked. */
  readonly holders: readonly Holder[];
}

/**
 * Gives every chunk of a stripe that lacks a good holder a new one. Needs no key, no leave of anybody, and no agreement with
 * others who do the same: every step may run twice, and several at once end with the same chunks at the same peers, or with
 * one too many.
 */
export async function repairStripe(id: StripeId, parts: RepairParts, signal: AbortSignal): Promise<StripeOutcome> {
  const { network } = parts;
  const [record] = await network.catalog.stripes([id]);
  const outcome = { stripe: id, rebuilt: 0, copied: 0, found: 0, left: 0, movedBytes: 0 };
  if (record === undefined) return outcome;
  const truth = await askAround(record, parts, signal);
  const { due, waiting } = dueOf(truth, parts.view);
  if (due.length === 0) return { ...outcome, left: waiting };
  const repair = new StripeRepair(truth, parts, signal);
  for (const index of due) await repair.mend(index);
  const { reason, done } = repair;
  const left = due.length + waiting - done.rebuilt - done.copied - done.found;
  return { ...outcome, ...done, left, ...(left > 0 && reason !== undefined && { reason }) };
}

/** Whoever the record names, and whoever placement would take next. Who does not answer soon has nothing. */
export async function askAround(
  record: StripeRecord,
  { network, view }: RepairParts,
  signal: AbortSignal,
): Promise<Truth> {
  const { book, links, self } = network;
  const named = record.placement.flatMap((held) => held?.peer ?? []);
  const likely = place(
    record.id,
    book
      .targets()
      .filter(({ id }) => view.isGood(id))
      .map(candidateOf),
  ).slice(0, record.chunks.length + MAX_SPARE_TARGETS);
  const asked = [...new Set([...named, ...likely])].filter((peer) => book.isMember(peer));
  const answered = new Set<PeerId>();
  const holders: Holder[] = [];
  await Promise.all(
    asked.map(async (peer) => {
      using patience = timeLimit(PING_TIMEOUT_MS, signal);
      try {
        const held = await links.store(peer).has(record.chunks, { signal: patience.signal });
        if (peer !== self) book.reportSuccess(peer);
        answered.add(peer);
        for (const [index, chunk] of record.chunks.entries()) {
          if (held.has(chunk) && !view.isFaulty(peer, chunk)) holders.push({ index, peer });
        }
      } catch {
        // Whatever is wrong with it: nothing can be had from it now.
        signal.throwIfAborted();
        if (peer !== self) book.reportFailure(peer);
      }
    }),
  );
  return { record, answered, holders };
}

interface Due {
  /** Chunks that need a new holder now. */
  readonly due: readonly number[];
  /** Chunks whose holder does not answer, and is not gone yet. */
  readonly waiting: number;
}

function dueOf({ record, answered, holders }: Truth, view: PeerView): Due {
  const due: number[] = [];
  let waiting = 0;
  for (const [index, chunk] of record.chunks.entries()) {
    const peer = record.placement[index]?.peer;
    if (peer === undefined || !view.holds(peer, chunk) || view.isLeaving(peer)) due.push(index);
    else if (!answered.has(peer)) waiting++;
    else if (!holders.some((holder) => holder.index === index && holder.peer === peer)) due.push(index);
  }
  return { due, waiting };
}

/** The repair of one stripe while it runs. */
class StripeRepair {
  readonly #truth: Truth;
  readonly #parts: RepairParts;
  readonly #signal: AbortSignal;
  /** Where each chunk lies by now, as far as this repair has seen to it. */
  readonly #places: (PeerId | undefined)[];
  readonly done = { rebuilt: 0, copied: 0, found: 0, movedBytes: 0 };
  reason: string | undefined;

  constructor(truth: Truth, parts: RepairParts, signal: AbortSignal) {
    this.#truth = truth;
    this.#parts = parts;
    this.#signal = signal;
    this.#places = truth.record.placement.map((held) => held?.peer);
  }

  async mend(index: number): Promise<void> {
    const { record, holders } = this.#truth;
    const chunk = this.#chunk(index);
    const elsewhere = holders.find(
      ({ index: held, peer }) => held === index && this.#isFree(peer, index) && this.#isTarget(peer, chunk),
    );
    if (elsewhere !== undefined && (await this.#give(index, elsewhere.peer, {}))) {
      this.done.found++;
      return;
    }
    const leaving = record.placement[index]?.peer;
    const source = leaving !== undefined && this.#holdsNow(index, leaving) ? leaving : undefined;
    const tooFew = this.#tooFew();
    for (const target of this.#targets(index).slice(0, REPAIR_TARGETS)) {
      if (source !== undefined && (await this.#give(index, target, { source }))) {
        this.done.copied++;
        this.done.movedBytes += record.chunkBytes;
        return;
      }
      // A copy needs no others.
      if (tooFew !== undefined) continue;
      if (await this.#give(index, target, { holders: this.#hints() })) {
        this.done.rebuilt++;
        this.done.movedBytes += record.k * record.chunkBytes;
        return;
      }
    }
    this.reason ??=
      tooFew ?? 'Every peer that answers and is trusted holds a chunk of this stripe already. Add a peer.';
  }

  #chunk(index: number): StripeRecord['chunks'][number] {
    const chunk = this.#truth.record.chunks[index];
    assert(chunk !== undefined, `chunk ${String(index)} of the stripe`);
    return chunk;
  }

  #holdsNow(index: number, peer: PeerId): boolean {
    const { view } = this.#parts;
    const isHolder = this.#truth.holders.some((holder) => holder.index === index && holder.peer === peer);
    return isHolder && view.holds(peer, this.#chunk(index));
  }

  /** Why nothing of the stripe can be rebuilt. */
  #tooFew(): string | undefined {
    const { record, holders } = this.#truth;
    const { size } = new Set(holders.map(({ index }) => index));
    if (size >= record.k) return undefined;
    return `Only ${String(size)} chunks of the stripe can be had, and ${String(record.k)} are needed.`;
  }

  #hints(): (PeerId | undefined)[] {
    const { record, holders } = this.#truth;
    return record.chunks.map((_, index) => holders.find((holder) => holder.index === index)?.peer);
  }

  /** The record names it for no other chunk: of two it would count for one only. */
  #isFree(peer: PeerId, index: number): boolean {
    return this.#places.every((other, at) => at === index || other !== peer);
  }

  #isTarget(peer: PeerId, chunk: StripeRecord['chunks'][number]): boolean {
    const { network, view } = this.#parts;
    return network.book.targets().some(({ id }) => id === peer) && view.holds(peer, chunk);
  }

  /** The one that lost the chunk first; then as placement has it, among those without a chunk of the stripe. */
  #targets(index: number): PeerId[] {
    const { network, view, resting, clock } = this.#parts;
    const { answered, holders, record } = this.#truth;
    const nowMs = clock();
    const fit = network.book
      .targets()
      .filter(
        ({ id }) =>
          answered.has(id) &&
          view.isGood(id) &&
          this.#isFree(id, index) &&
          (resting.get(id) ?? 0) <= nowMs &&
          !holders.some(({ peer }) => peer === id),
      );
    const kept = this.#places.flatMap((peer, at) => (at === index || peer === undefined ? [] : peer));
    const zones = kept.flatMap((peer) => (view.isGood(peer) ? (network.book.get(peer)?.zone ?? []) : []));
    const order = place(record.id, fit.map(candidateOf), zones);
    const loser = record.placement[index]?.peer;
    return loser !== undefined && order.includes(loser) ? [loser, ...order.filter((peer) => peer !== loser)] : order;
  }

  /** @returns false when the peer did not take it, or what it signed is not believed */
  async #give(index: number, peer: PeerId, how: Pick<PullOrder, 'source' | 'holders'>): Promise<boolean> {
    const { network, audits } = this.#parts;
    const { record } = this.#truth;
    const chunk = this.#chunk(index);
    const before = record.placement[index];
    try {
      const receipt = await network.pull(peer, { chunk, label: record.label, ...how }, { signal: this.#signal });
      const isKnown = before?.peer === peer && before.receipt !== undefined;
      if (!isKnown) await network.catalog.moveChunks([{ stripe: record.id, chunk, receipt }]);
      if (before !== undefined) await audits.settle(before.peer, chunk);
      this.#places[index] = peer;
      return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      const { code, message } = wrapError(error, 'Repairing a chunk');
      this.reason = `${network.book.nameOf(peer)}: ${message}`;
      restAfter(code, peer, this.#parts);
      return false;
    }
  }
}

/** After these another target is better for a while. */
const RESTS: readonly StorageError['code'][] = ['NO_SPACE', 'TIMEOUT', 'LIMIT_EXCEEDED', 'UNSUPPORTED', 'INTERNAL'];

/** A peer that did not take a chunk gets none for a while, if that is likely to happen again. */
export function restAfter(
  code: StorageError['code'],
  peer: PeerId,
  { resting, clock }: Pick<RepairParts, 'resting' | 'clock'>,
): void {
  if (RESTS.includes(code)) resting.set(peer, clock() + REPAIR_TARGET_REST_MS);
}
