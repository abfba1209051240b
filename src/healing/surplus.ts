import type { Placement, StripeRecord } from '../catalog/catalog.js';
import type { ChunkSummary } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { decodeReceipt } from '../chunk/receipt.js';
import { segmentCount } from '../chunk/segments.js';
import { SURPLUS_AGE_MS } from '../limits.js';
import type { DiskStore } from '../store/disk-store.js';
import type { PeerView } from './assessment.js';
import { assess } from './assessment.js';
import { ask, type AuditNetwork } from './audit.js';
import { labelledChunks, placeOf, type LabelledChunk } from './chunk-labels.js';
import type { Withheld } from './withheld.js';

export interface SurplusOptions {
  readonly network: AuditNetwork;
  readonly view: PeerView;
  /** This peer's own. */
  readonly local: Pick<DiskStore, 'list' | 'drop'>;
  /** What this peer sends nobody meanwhile. */
  readonly withheld: Withheld;
  /** Unix time. */
  readonly clock: () => number;
}

/** A chunk here that the record of its stripe has at another peer. */
interface Surplus {
  readonly summary: ChunkSummary;
  readonly record: StripeRecord;
  readonly place: Placement;
}

/**
 * Drops chunks that lie elsewhere by now: a peer that was gone and is back, or of two repairers the one that was earlier. A
 * chunk stays as long as the record of its stripe names this peer, or this peer has no record. Else it is dropped when all of
 * this holds: it has been so for SURPLUS_AGE_MS, by this peer's own watch and by the receipt of the move, so that whoever
 * moved it on has been heard; nothing of the stripe is lacking; and the peer that the record names proves by an audit that it
 * holds it, while this one sends the chunk to nobody. (docs/decisions/0019-healing.md)
 */
export class SurplusSweep {
  readonly #options: SurplusOptions;
  /** When it was first seen, in Unix time. */
  #seen = new Map<ChunkId, number>();

  constructor(options: SurplusOptions) {
    this.#options = options;
  }

  /** @returns how many chunks were dropped */
  async round(signal: AbortSignal): Promise<number> {
    const before = this.#seen;
    this.#seen = new Map();
    const { network, local } = this.#options;
    let dropped = 0;
    for await (const page of labelledChunks(local, network, signal)) {
      for (const chunk of page) {
        const surplus = this.#surplusOf(chunk);
        if (surplus !== undefined && (await this.#isDropped(surplus, before, signal))) dropped++;
      }
    }
    return dropped;
  }

  #surplusOf({ summary, record }: LabelledChunk): Surplus | undefined {
    const { network, view } = this.#options;
    const place = record && placeOf(record, summary.id);
    if (record === undefined || place === undefined || place.peer === network.self) return undefined;
    const isSafe = view.holds(place.peer, summary.id) && !view.isLeaving(place.peer);
    return isSafe ? { summary, record, place } : undefined;
  }

  async #isDropped(surplus: Surplus, before: ReadonlyMap<ChunkId, number>, signal: AbortSignal): Promise<boolean> {
    const { network, view, local, withheld, clock } = this.#options;
    const { summary, record, place } = surplus;
    const { id, owner, bytes } = summary;
    const sinceMs = before.get(id) ?? clock();
    this.#seen.set(id, sinceMs);
    const isOld = Math.max(sinceMs, movedMs(place, clock())) + SURPLUS_AGE_MS <= clock();
    if (!isOld || assess(record, view).lacking.length > 0) return false;
    const segment = Math.floor(Math.random() * segmentCount(bytes));
    const question = { peer: place.peer, stripe: record.id, chunk: id, segment };
    // Until it is gone: else whoever asks this peer for the same reason would be shown the copy that is about to be dropped.
    const isDropped = await withheld.during(id, async () => {
      if ((await ask(question, network, signal)) !== 'passed') return false;
      await local.drop(owner, [id], { signal });
      return true;
    });
    if (isDropped) this.#seen.delete(id);
    return isDropped;
  }
}

/** When its holder signed for it; Infinity when it has not, which proves nothing. A stamp that is a day ahead is of a clock that is wrong. */
function movedMs({ receipt }: Placement, nowMs: number): number {
  if (receipt === undefined) return Number.POSITIVE_INFINITY;
  const { storedMs } = decodeReceipt(receipt.body);
  return storedMs > nowMs + SURPLUS_AGE_MS ? 0 : storedMs;
}
