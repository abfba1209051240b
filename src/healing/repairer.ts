import { setTimeout as delay } from 'node:timers/promises';
import type { StripeId } from '../chunk/ids.js';
import type { RepairCount } from '../counts.js';
import { wrapError } from '../errors.js';
import {
  DEPARTURE_SURVEY_MS,
  REBALANCE_SETTLE_MS,
  REBALANCE_SHARE,
  REPAIRS_AT_ONCE,
  SURVEY_INTERVAL_MS,
} from '../limits.js';
import type { Candidate } from '../peers/placement.js';
import { moveDisplaced } from './move-displaced.js';
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
  /** Stripes with a chunk that belongs elsewhere, and what moving those takes. */
  readonly rebalance: { readonly stripes: number; readonly bytes: number; readonly secondsLeft: number | undefined };
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
  #members = { said: '', sinceMs: Number.POSITIVE_INFINITY };
  #fingerprint = '';
  #surveyedMs = Number.NEGATIVE_INFINITY;
  #surveying: Promise<void> | undefined;
  readonly #running = new Map<StripeId, Promise<StripeOutcome>>();
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
    const { displaced, summary: survey } = this.#queue;
    const carrySeconds = displaced.bytes / (bytesPerSecond * REBALANCE_SHARE);
    const rebalance = { ...displaced, secondsLeft: bytesPerSecond === 0 ? undefined : carrySeconds };
    return {
      rebalance,
      survey,
      queuedStripes: queue.length,
      queuedChunks: queue.reduce((sum, { chunks }) => sum + chunks, 0),
      queuedBytes,
      secondsLeft: bytesPerSecond === 0 ? undefined : queuedBytes / bytesPerSecond,
      running: this.#running.size,
      reason: queue.length === 0 ? undefined : this.#reason,
    };
  }

  /** In the background: a survey when one is due, then whatever it is this peer's turn to repair, until transfers begin. */
  async round(signal: AbortSignal): Promise<void> {
    const { bytesPerSecond, isBusy } = this.#options;
    if (bytesPerSecond === 0) return;
    await this.#look(SURVEY_INTERVAL_MS, signal);
    while (!isBusy()) {
      const startedMs = performance.now();
      const next = this.#queue.next();
      // What belongs elsewhere comes after all that lacks something.
      const displaced = next === undefined ? this.#queue.nextDisplaced() : undefined;
      if (next === undefined && displaced === undefined) return;
      const moved = next === undefined ? 0 : (await this.#repair(next.stripe, signal)).movedBytes;
      const carried = displaced === undefined ? 0 : await this.#carry(displaced, signal);
      const dueMs = ((moved + carried / REBALANCE_SHARE) / bytesPerSecond) * 1000;
      const restMs = dueMs - (performance.now() - startedMs);
      if (restMs > 0) await delay(restMs, undefined, { signal });
    }
  }

  /**
   * In the background, too: moves what lies at peers that are to leave, whatever it is this peer's turn to move, until
   * transfers begin. Somebody has asked for it and waits, so no rate bounds it, and no setting switches it off.
   */
  async departures(signal: AbortSignal): Promise<void> {
    const { isBusy, view } = this.#options;
    if (!view.isAnyLeaving()) return;
    await this.#look(DEPARTURE_SURVEY_MS, signal);
    while (!isBusy()) {
      const some = this.#queue.departures(REPAIRS_AT_ONCE);
      if (some.length === 0) return;
      await Promise.all(some.map(({ stripe }) => this.#repair(stripe, signal)));
    }
  }

  /**
   * All that can be repaired now, whoever's turn it is and at any rate.
   *
   * @returns a survey, then the stripes as they are done
   */
  async *now(signal: AbortSignal): AsyncGenerator<RepairProgress> {
    const survey = await this.#queue.survey(signal, this.#settled());
    const queue = [...this.#queue.list()];
    yield { kind: 'surveyed', survey, queued: queue.length };
    for (let at = 0; at < queue.length; at += REPAIRS_AT_ONCE) {
      const some = queue.slice(at, at + REPAIRS_AT_ONCE);
      for (const outcome of await Promise.all(some.map(({ stripe }) => this.#repair(stripe, signal)))) {
        yield { kind: 'stripe', outcome };
      }
    }
  }

  /** Moves a chunk that belongs elsewhere. @returns bytes moved */
  async #carry(stripe: StripeId, signal: AbortSignal): Promise<number> {
    const { counts } = this.#options;
    try {
      const moved = await moveDisplaced(stripe, this.#parts, signal);
      if (moved === undefined) return 0;
      counts.rebalancedChunks++;
      return moved;
    } catch (error) {
      signal.throwIfAborted();
      // It lies well where it is; the next survey finds it again.
      this.#reason = wrapError(error, 'Moving a chunk to where it belongs').message;
      return 0;
    }
  }

  /** Among whom placement chooses, when they have been the same for long; nobody before. */
  #settled(): readonly Candidate[] {
    const { view, clock, bytesPerSecond } = this.#options;
    const candidates = view.candidates();
    const members = JSON.stringify(candidates.map(({ id, zone, weight }) => [id, zone, weight]).sort());
    if (members !== this.#members.said) this.#members = { said: members, sinceMs: clock() };
    const isSettled = clock() - this.#members.sinceMs >= REBALANCE_SETTLE_MS;
    return isSettled && bytesPerSecond > 0 ? candidates : [];
  }

  /** A survey, when one is due or would find something else. */
  async #look(intervalMs: number, signal: AbortSignal): Promise<void> {
    const { clock, view } = this.#options;
    const fingerprint = view.fingerprint();
    const isNews = fingerprint !== this.#fingerprint;
    if (!isNews && clock() - this.#surveyedMs < intervalMs) return;
    // Repairs and departures look at the same time when somebody is told to leave; one survey is for both.
    this.#surveying ??= this.#survey(fingerprint, signal).finally(() => {
      this.#surveying = undefined;
    });
    await this.#surveying;
  }

  async #survey(fingerprint: string, signal: AbortSignal): Promise<void> {
    if (fingerprint !== this.#fingerprint) this.#queue.wake();
    await this.#queue.survey(signal, this.#settled());
    this.#fingerprint = fingerprint;
    this.#surveyedMs = this.#options.clock();
  }

  /** Only once at a time: a second one looks what the first has left. */
  async #repair(stripe: StripeId, signal: AbortSignal): Promise<StripeOutcome> {
    for (;;) {
      const other = this.#running.get(stripe);
      if (other === undefined) break;
      await other.catch(() => undefined);
    }
    const repairing = this.#mend(stripe, signal);
    this.#running.set(stripe, repairing);
    try {
      return await repairing;
    } finally {
      this.#running.delete(stripe);
    }
  }

  async #mend(stripe: StripeId, signal: AbortSignal): Promise<StripeOutcome> {
    const { counts } = this.#options;
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
    }
  }
}
