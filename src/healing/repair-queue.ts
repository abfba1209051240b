import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { PeerId, StripeId } from '../chunk/ids.js';
import {
  DEPARTURE_TAKEOVER_MS,
  MAX_REBALANCE_QUEUE,
  MAX_REPAIR_QUEUE,
  REPAIR_SETTLE_MS,
  REPAIR_TAKEOVER_MS,
} from '../limits.js';
import type { Candidate } from '../peers/placement.js';
import { assess, turnOf, type PeerView } from './assessment.js';
import { knownStripes } from './chunk-labels.js';
import { displacedChunk } from './rebalance.js';

/** A stripe that lacks something. */
export interface QueuedStripe {
  readonly stripe: StripeId;
  readonly margin: number;
  /** Chunks that need a new holder. */
  readonly chunks: number;
  /** Of these, such as lie at peers that are to leave. */
  readonly leaving: number;
  /** What repairing them moves. */
  readonly bytes: number;
  /** This peer's turn: see turnOf. */
  readonly turn: number;
  /** Unix time when this peer first saw that. */
  readonly sinceMs: number;
}

export interface SurveyParts {
  readonly self: PeerId;
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
  readonly view: PeerView;
  /** Of a put under way here. */
  readonly isPinned: (stripe: StripeId) => boolean;
  readonly clock: () => number;
}

/** How the stripes that this peer knows stood at the last survey. */
export interface SurveySummary {
  readonly stripes: number;
  /** All chunks at peers that can be counted on. */
  readonly whole: number;
  /** Some lack, and none of them is at risk. */
  readonly degraded: number;
  /** One more loss and they cannot be rebuilt. */
  readonly atRisk: number;
  /** They cannot be rebuilt now. */
  readonly lost: number;
  /** Unix time. */
  readonly atMs: number;
}

type Counting = { -readonly [Name in keyof SurveySummary]: number };

/** A chunk that belongs elsewhere. */
interface Displaced {
  readonly bytes: number;
  /** This peer's turn: see turnOf. */
  readonly turn: number;
  /** Unix time when this peer first saw that. */
  readonly sinceMs: number;
}

/** What waits for repair, the stripes with the least margin first. In memory only: a survey finds all of it again. */
export class RepairQueue {
  readonly #parts: SurveyParts;
  #queue = new Map<StripeId, QueuedStripe>();
  /** Unix time until when a stripe is left alone, because an attempt has just failed. */
  readonly #restUntil = new Map<StripeId, number>();
  #displaced = new Map<StripeId, Displaced>();
  #displacedLeft = { stripes: 0, bytes: 0 };
  #summary: SurveySummary | undefined;

  constructor(parts: SurveyParts) {
    this.#parts = parts;
  }

  get summary(): SurveySummary | undefined {
    return this.#summary;
  }

  /** The next stripe with a chunk that belongs elsewhere. */
  nextDisplaced(): StripeId | undefined {
    const nowMs = this.#parts.clock();
    for (const [stripe, { bytes, turn, sinceMs }] of this.#displaced) {
      if (sinceMs + turn * REPAIR_TAKEOVER_MS > nowMs) continue;
      this.#displaced.delete(stripe);
      const left = this.#displacedLeft;
      this.#displacedLeft = { stripes: left.stripes - 1, bytes: left.bytes - bytes };
      return stripe;
    }
    return undefined;
  }

  /** Stripes with a chunk that belongs elsewhere, whoever's turn it is to move it, and the bytes of these chunks. */
  get displaced(): { readonly stripes: number; readonly bytes: number } {
    return this.#displacedLeft;
  }

  /** In the order of their margin. */
  list(): readonly QueuedStripe[] {
    return [...this.#queue.values()];
  }

  /**
   * Looks at every stripe that this peer knows, by their records alone.
   *
   * @param candidates among whom placement chooses; none: nobody asks for what belongs elsewhere
   */
  async survey(signal: AbortSignal, candidates: readonly Candidate[] = []): Promise<SurveySummary> {
    const { clock } = this.#parts;
    let found: QueuedStripe[] = [];
    const displaced = new Map<StripeId, Displaced>();
    const left = { stripes: 0, bytes: 0 };
    const summary: Counting = { stripes: 0, whole: 0, degraded: 0, atRisk: 0, lost: 0, atMs: clock() };
    for await (const record of knownStripes(this.#parts, signal)) {
      if (!this.#look(record, found, summary) && this.#isDisplaced(record, candidates)) {
        left.stripes++;
        left.bytes += record.chunkBytes;
        if (displaced.size < MAX_REBALANCE_QUEUE) displaced.set(record.id, this.#displacedOf(record));
      }
      // Twice as many would be sorted away again: memory stays bounded however much is broken.
      if (found.length > 4 * MAX_REPAIR_QUEUE) found = keepWorst(found);
    }
    found = keepWorst(found);
    this.#queue = new Map(found.map((each) => [each.stripe, each]));
    for (const stripe of this.#restUntil.keys()) if (!this.#queue.has(stripe)) this.#restUntil.delete(stripe);
    this.#displaced = displaced;
    this.#displacedLeft = left;
    this.#summary = summary;
    return summary;
  }

  /** The next stripe that it is this peer's turn to repair. */
  next(): QueuedStripe | undefined {
    const nowMs = this.#parts.clock();
    for (const queued of this.#queue.values()) {
      const dueMs = queued.sinceMs + REPAIR_SETTLE_MS + queued.turn * REPAIR_TAKEOVER_MS;
      if (dueMs <= nowMs && (this.#restUntil.get(queued.stripe) ?? 0) <= nowMs) return queued;
    }
    return undefined;
  }

  /** The next stripes with chunks at peers that are to leave. Nothing is lost yet, so nobody waits for a put or a removal to end. */
  departures(most: number): readonly QueuedStripe[] {
    const nowMs = this.#parts.clock();
    const due: QueuedStripe[] = [];
    for (const queued of this.#queue.values()) {
      if (due.length === most) break;
      const dueMs = queued.sinceMs + queued.turn * DEPARTURE_TAKEOVER_MS;
      const rests = (this.#restUntil.get(queued.stripe) ?? 0) > nowMs;
      if (queued.leaving > 0 && dueMs <= nowMs && !rests) due.push(queued);
    }
    return due;
  }

  /** Something has changed: what failed before is tried again. */
  wake(): void {
    this.#restUntil.clear();
  }

  /** It is whole again, or was forgotten. */
  remove(stripe: StripeId): void {
    this.#queue.delete(stripe);
    this.#restUntil.delete(stripe);
  }

  /** Nothing more can be done for it now. */
  rest(stripe: StripeId): void {
    if (this.#queue.has(stripe)) this.#restUntil.set(stripe, this.#parts.clock() + REPAIR_TAKEOVER_MS);
  }

  #isDisplaced(record: StripeRecord, candidates: readonly Candidate[]): boolean {
    return !this.#parts.isPinned(record.id) && displacedChunk(record, candidates) !== undefined;
  }

  #displacedOf(record: StripeRecord): Displaced {
    const { self, view, clock } = this.#parts;
    const sinceMs = this.#displaced.get(record.id)?.sinceMs ?? clock();
    return { bytes: record.chunkBytes, turn: turnOf(self, record, view), sinceMs };
  }

  /** @returns whether it lacks something */
  #look(record: StripeRecord, found: QueuedStripe[], summary: Counting): boolean {
    const { self, view, isPinned, clock } = this.#parts;
    const { lacking, leaving: departing, margin } = assess(record, view);
    // Where every peer has a chunk of the stripe, one that departs has nowhere to go.
    const leaving = departing.length > 0 && view.hasPlaceFor(record) ? departing : [];
    summary.stripes++;
    if (lacking.length === 0) summary.whole++;
    else if (margin < 0) summary.lost++;
    else if (margin === 0) summary.atRisk++;
    else summary.degraded++;
    if (lacking.length + leaving.length === 0) return departing.length > 0;
    if (isPinned(record.id)) return true;
    found.push({
      stripe: record.id,
      margin,
      chunks: lacking.length + leaving.length,
      leaving: leaving.length,
      bytes: (lacking.length * record.k + leaving.length) * record.chunkBytes,
      turn: turnOf(self, record, view),
      sinceMs: this.#queue.get(record.id)?.sinceMs ?? clock(),
    });
    return true;
  }
}

/** As many that leave, and as many others: what is lost, or waits for a rate of 0, is in nobody's way who is to leave. */
function keepWorst(found: QueuedStripe[]): QueuedStripe[] {
  found.sort((a, b) => a.margin - b.margin || (a.stripe < b.stripe ? -1 : 1));
  const kept = { leaving: 0, others: 0 };
  return found.filter(({ leaving }) => kept[leaving > 0 ? 'leaving' : 'others']++ < MAX_REPAIR_QUEUE);
}
