import { setTimeout as delay } from 'node:timers/promises';
import type { StripeId } from '../chunk/ids.js';
import type { RepairCount } from '../counts.js';
import { wrapError } from '../errors.js';
import { REPAIRS_AT_ONCE, SURVEY_INTERVAL_MS } from '../limits.js';
import { RepairQueue, type SurveySummary } from './repair-queue.js';
import { repairStripe, type RepairParts, type StripeOutcome } from './repair-stripe.js';

export interface RepairerOptions extends Omit<RepairParts, 'resting'> {
  /** What repairs move in a second; 0: none are begun in the background. */
  readonly bytesPerSecond: number;
  /** Of a put under way here. */
  readonly isPinned: (stripe: StripeId) => boolean;
  /** Transfers are under way. */
  readonly isBusy: () => boolean;
  readonly counts: RepairCount;
}

/** How repair stands at this peer. */
export interface RepairState {
  readonly survey: SurveySummary | undefined;
  readonly queuedStripes: number;
  readonly queuedChunks: number;
  readonly queuedBytes: number;
  /** At the rate of the setting; undefined when nothing is begun here. */
  readonly secondsLeft: number | undefined;
  /** Stripes being repaired just now. */
  readonly running: number;
  /** Why the last attempt left something; undefined when it did not. */
  readonly reason: string | undefined;
}

export type RepairProgress =
  | { readonly kind: 'surveyed'; readonly survey: SurveySummary; readonly queued: number }
  | { readonly kind: 'stripe'; readonly outcome: StripeOutcome };

/** Repairs the stripes that this peer knows, those with the least margin first, at a bounded rate. */
export class Repairer {
  readonly #options: RepairerOptions;
  readonly #parts: RepairParts;
  readonly #queue: RepairQueue;
  #fingerprint = '';
  #surveyedMs = Number.NEGATIVE_INFINITY;
  #running = 0;
  #reason: string | undefined;

  constructor(options: RepairerOptions) {
    this.#options = options;
    const { network, view, isPinned, clock } = options;
    this.#parts = { ...options, resting: new Map() };
    this.#queue = new RepairQueue({ self: network.self, catalog: network.catalog, view, isPinned, clock });
  }

  get bytesPerSecond(): number {
    return this.#options.bytesPerSecond;
  }

  state(): RepairState {
    const queue = this.#queue.list();
    const { bytesPerSecond } = this.#options;
    const queuedBytes = queue.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      survey: this.#queue.summary,
      queuedStripes: queue.length,
      queuedChunks: queue.reduce((sum, { chunks }) => sum + chunks, 0),
      queuedBytes,
      secondsLeft: bytesPerSecond === 0 ? undefined : queuedBytes / bytesPerSecond,
      running: this.#running,
      reason: queue.length === 0 ? undefined : this.#reason,
    };
  }

  /** In the background: a survey when one is due, then whatever it is this peer's turn to repair, until transfers begin. */
  async round(signal: AbortSignal): Promise<void> {
    const { bytesPerSecond, isBusy, clock, view } = this.#options;
    if (bytesPerSecond === 0) return;
    const fingerprint = view.fingerprint();
    if (fingerprint !== this.#fingerprint || clock() - this.#surveyedMs >= SURVEY_INTERVAL_MS) {
      await this.#queue.survey(signal);
      this.#fingerprint = fingerprint;
      this.#surveyedMs = clock();
    }
    while (!isBusy()) {
      const next = this.#queue.next();
      if (next === undefined) return;
      const startedMs = performance.now();
      const { movedBytes } = await this.#repair(next.stripe, signal);
      const restMs = (movedBytes / bytesPerSecond) * 1000 - (performance.now() - startedMs);
      if (restMs > 0) await delay(restMs, undefined, { signal });
    }
  }

  /**
   * All that can be repaired now, whoever's turn it is and at any rate.
   *
   * @returns a survey, then the stripes as they are done
   */
  async *now(signal: AbortSignal): AsyncGenerator<RepairProgress> {
    const survey = await this.#queue.survey(signal);
    const queue = [...this.#queue.list()];
    yield { kind: 'surveyed', survey, queued: queue.length };
    for (let at = 0; at < queue.length; at += REPAIRS_AT_ONCE) {
      const some = queue.slice(at, at + REPAIRS_AT_ONCE);
      for (const outcome of await Promise.all(some.map(({ stripe }) => this.#repair(stripe, signal)))) {
        yield { kind: 'stripe', outcome };
      }
    }
  }

  async #repair(stripe: StripeId, signal: AbortSignal): Promise<StripeOutcome> {
    const { counts } = this.#options;
    this.#running++;
    try {
      const outcome = await repairStripe(stripe, this.#parts, signal);
      counts.chunks += outcome.rebuilt + outcome.copied + outcome.found;
      counts.failedChunks += outcome.left;
      if (outcome.left === 0) this.#queue.remove(stripe);
      else this.#queue.rest(stripe);
      if (outcome.reason !== undefined) this.#reason = outcome.reason;
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      // One stripe that cannot be read, or written about, is no reason to leave the others.
      const { message: reason } = wrapError(error, 'Repairing a stripe');
      this.#queue.rest(stripe);
      this.#reason = reason;
      return { stripe, rebuilt: 0, copied: 0, found: 0, left: 1, movedBytes: 0, reason };
    } finally {
      this.#running--;
    }
  }
}
