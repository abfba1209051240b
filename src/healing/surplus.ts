import type { StripeRecord } from '../catalog/catalog.js';
import type { ChunkSummary } from '../chunk/chunk-store.js';
import type { ChunkId, PeerId } from '../chunk/ids.js';
import { decodeReceipt } from '../chunk/receipt.js';
import { segmentCount } from '../chunk/segments.js';
import { SURPLUS_AGE_MS, SURVEY_PAGE } from '../limits.js';
import type { DiskStore } from '../store/disk-store.js';
import type { PeerView } from './assessment.js';
import { assess } from './assessment.js';
import { ask, type AuditNetwork } from './audit.js';
import { readLabel } from './chunk-labels.js';
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
  readonly holder: PeerId;
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
    let dropped = 0;
    let page: ChunkSummary[] = [];
    const look = async (): Promise<void> => {
      for (const surplus of await this.#among(page)) {
        if (await this.#isDropped(surplus, before, signal)) dropped++;
      }
      page = [];
    };
    for await (const summary of this.#options.local.list({ signal })) {
      page.push(summary);
      if (page.length === SURVEY_PAGE) await look();
    }
    await look();
    return dropped;
  }

  async #among(page: readonly ChunkSummary[]): Promise<Surplus[]> {
    const { network, view } = this.#options;
    const labelled = page.flatMap((summary) => {
      // A label that rotted is for the scrub.
      const stripe = readLabel(summary.label)?.stripe;
      return stripe === undefined ? [] : [{ summary, stripe }];
    });
    const records = await network.catalog.stripes(labelled.map(({ stripe }) => stripe));
    return labelled.flatMap(({ summary }, at) => {
      const record = records[at];
      const holder = record?.placement[record.chunks.indexOf(summary.id)]?.peer;
      if (record === undefined || holder === undefined || holder === network.self) return [];
      return view.holds(holder, summary.id) && !view.isLeaving(holder) ? [{ summary, record, holder }] : [];
    });
  }

  async #isDropped(surplus: Surplus, before: ReadonlyMap<ChunkId, number>, signal: AbortSignal): Promise<boolean> {
    const { network, view, local, withheld, clock } = this.#options;
    const { summary, record, holder } = surplus;
    const { id, owner, bytes } = summary;
    const sinceMs = before.get(id) ?? clock();
    this.#seen.set(id, sinceMs);
    const isOld = Math.max(sinceMs, movedMs(surplus)) + SURPLUS_AGE_MS <= clock();
    if (!isOld || assess(record, view).lacking.length > 0) return false;
    const segment = Math.floor(Math.random() * segmentCount(bytes));
    const question = { peer: holder, stripe: record.id, chunk: id, segment };
    if ((await withheld.during(id, () => ask(question, network, signal))) !== 'passed') return false;
    await local.drop(owner, [id], { signal });
    this.#seen.delete(id);
    return true;
  }
}

/** When its holder signed for it; Infinity when it has not, which proves nothing. */
function movedMs({ summary, record }: Surplus): number {
  const receipt = record.placement[record.chunks.indexOf(summary.id)]?.receipt;
  return receipt === undefined ? Number.POSITIVE_INFINITY : decodeReceipt(receipt.body).storedMs;
}
