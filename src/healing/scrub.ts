import { setTimeout as delay } from 'node:timers/promises';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError, wrapError } from '../errors.js';
import {
  MAX_LISTED_DAMAGES,
  SCRUB_FIRST_MS,
  SCRUB_IDLE_MS,
  SCRUB_QUIET_MS,
  SCRUB_STEP_BYTES,
  SCRUB_STEP_CHUNKS,
  SCRUB_SURVEY_MS,
  SCRUB_YIELD_MS,
} from '../limits.js';
import { isAborted, rest } from '../on-abort.js';
import { INDEX_NAME } from '../store/chunk-index.js';
import { Gate } from '../store/gate.js';
import type { KnownDamage } from '../store/scrub-index.js';
import { damagedDatabase } from '../store/sqlite-errors.js';
import type { StoreUsage } from '../store/usage.js';
import { LostLabels } from './lost-labels.js';
import { scrubChunk } from './scrub-chunk.js';
import { evenRestMs, leastRestMs, periodMs, type ScrubPace } from './scrub-pace.js';
import type { ScrubParts } from './scrub-parts.js';
import { since, snapshot, type ScrubTotals } from './scrub-report.js';
import { retryDamage, surveyStore } from './scrub-survey.js';

export interface ScrubOptions extends Omit<ScrubParts, 'labels' | 'turn' | 'store'>, ScrubPace {
  readonly store: ScrubParts['store'] & { quietMs(): number; usage(): Promise<StoreUsage> };
  /** Stripes are being stored or fetched by this process. */
  readonly isBusy?: () => boolean;
  /** Before the first step; SCRUB_FIRST_MS unless given. */
  readonly firstMs?: number;
}

/** How scrubbing stands. */
export interface ScrubState extends ScrubPace {
  /** off: the rate is 0, and only who asks gets a scrub. */
  readonly phase: 'off' | 'waiting' | 'reading' | 'asked';
  /** Unix time when the chunk was read that was read longest ago; 0: some never were. undefined without chunks. */
  readonly oldestReadMs: number | undefined;
  /** Unix time when files, rows and records were last compared. */
  readonly surveyedMs: number;
  /** Since the process began. */
  readonly totals: ScrubTotals;
  /** Chunks that could not be mended yet; the newest of them. */
  readonly damaged: number;
  readonly damages: readonly KnownDamage[];
}

export interface ScrubRun {
  readonly signal: AbortSignal;
  /** What there is to read, told once. */
  readonly onBegin?: (all: { readonly chunks: number; readonly bytes: number }) => void;
  /** So much more was read. */
  readonly onRead?: (read: { readonly chunks: number; readonly bytes: number }) => void;
}

/**
 * Reads all chunks of a peer again and again, the one that was read longest ago first, and mends what it finds. When each
 * was read lies in SQLite, so a restart goes on where it was. It is never in the way of transfers.
 */
export class Scrub implements AsyncDisposable {
  readonly #options: ScrubOptions;
  /** For the background, which keeps to the rate, and for who asks, who does not. */
  readonly #parts: { readonly background: ScrubParts; readonly asked: ScrubParts };
  readonly #life = new AbortController();
  /** One at a time reads: the background, or who asks. */
  readonly #gate = new Gate(1);
  readonly #running: Promise<void>;
  #asked = false;
  /** By the monotonic clock: before that, only what is urgent is read. */
  #evenUntilMs = Number.NEGATIVE_INFINITY;
  /** Read and moved up to the last rest. */
  #restedBytes: number;
  /** Ends the step of the background that is under way. */
  #step: AbortController | undefined;

  /** Begins at once, in the background, unless the rate is 0. */
  constructor(options: ScrubOptions) {
    this.#options = options;
    const labels = new LostLabels(options);
    this.#parts = {
      background: { ...options, labels, turn: (signal) => this.#pacedTurn(signal) },
      asked: { ...options, labels, turn: (signal) => this.#turn(signal) },
    };
    this.#restedBytes = workedBytes(options.count);
    options.store.mending.scrubs.forgetFuture(options.clock());
    this.#running = options.bytesPerSecond === 0 ? Promise.resolve() : this.#loop(this.#life.signal);
  }

  state(): ScrubState {
    const { days, bytesPerSecond, count, store } = this.#options;
    const { scrubs } = store.mending;
    const resting = bytesPerSecond === 0 ? 'off' : 'waiting';
    return {
      days,
      bytesPerSecond,
      phase: this.#asked ? 'asked' : this.#step !== undefined ? 'reading' : resting,
      oldestReadMs: scrubs.oldestReadMs(),
      surveyedMs: scrubs.surveyedMs(),
      totals: snapshot(count),
      damaged: scrubs.damageCount(),
      damages: scrubs.damages(MAX_LISTED_DAMAGES),
    };
  }

  /**
   * Reads everything once, as fast as the disk and transfers let it, whatever the rate in the settings.
   *
   * @returns what it did
   * @throws StorageError CONFLICT while another one runs; `signal.reason` on abort, and what was done stays done
   */
  async run({ signal, onBegin, onRead }: ScrubRun): Promise<ScrubTotals> {
    if (this.#asked) throw new StorageError('CONFLICT', 'A scrub that was asked for runs already. Wait until it ends.');
    this.#asked = true;
    const either = AbortSignal.any([signal, this.#life.signal]);
    this.#step?.abort(new StorageError('CANCELLED', 'Somebody asked for a scrub of everything.'));
    try {
      const leave = await this.#gate.enter(either);
      try {
        return await this.#readAll({ signal: either, ...(onBegin && { onBegin }), ...(onRead && { onRead }) });
      } finally {
        leave();
      }
    } finally {
      this.#asked = false;
    }
  }

  async #readAll({ signal, onBegin, onRead }: ScrubRun): Promise<ScrubTotals> {
    const { store, count, clock } = this.#options;
    const { scrubs } = store.mending;
    const before = snapshot(count);
    const startedMs = clock();
    scrubs.forgetFuture(startedMs);
    this.#parts.asked.labels.forget();
    onBegin?.(await store.usage());
    await surveyStore(this.#parts.asked, signal);
    let wereRemade = false;
    for (let read = new Set<ChunkId>(); ;) {
      const page = scrubs.oldest(startedMs, SCRUB_STEP_CHUNKS);
      if (page.length === 0) return since(count, before);
      // What has just been read is not due: an index that says so does not match its table.
      if (page.some(({ id }) => read.has(id))) {
        if (wereRemade) throw damagedDatabase(INDEX_NAME, 'it does not keep which chunks were read');
        await scrubs.remakeIndexes();
        wereRemade = true;
      }
      read = new Set(page.map(({ id }) => id));
      for (const { id, bytes } of page) {
        await this.#turn(signal);
        await scrubChunk(this.#parts.asked, id, signal);
        onRead?.({ chunks: 1, bytes });
      }
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#life.abort(new StorageError('UNAVAILABLE', 'The peer is stopping.'));
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { firstMs = SCRUB_FIRST_MS, logger } = this.#options;
    let restMs = firstMs;
    for (;;) {
      await rest(restMs, signal);
      if (signal.aborted) return;
      const step = new AbortController();
      const either = AbortSignal.any([signal, step.signal]);
      try {
        restMs = await this.#alone(step, () => this.#work(either), signal);
      } catch (error) {
        restMs = SCRUB_IDLE_MS;
        const { code, message } = wrapError(error, 'Scrubbing');
        if (!isAborted(either)) logger.warn({ code, reason: message }, 'a scrub was broken off; it goes on soon');
      }
    }
  }

  async #alone<T>(step: AbortController, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const leave = await this.#gate.enter(signal);
    this.#step = step;
    try {
      return await work();
    } finally {
      this.#step = undefined;
      leave();
    }
  }

  /** @returns how long to rest */
  async #work(signal: AbortSignal): Promise<number> {
    const { store, clock } = this.#options;
    const { scrubs } = store.mending;
    const nowMs = clock();
    const waitMs = await this.#readDue(nowMs, signal);
    for (const damage of scrubs.dueDamages(nowMs, 1)) await retryDamage(this.#parts.background, damage, signal);
    // Last, for it fails where the catalog cannot be read.
    const isSurveyDue = scrubs.surveyedMs() + SCRUB_SURVEY_MS <= nowMs || scrubs.surveyedMs() > nowMs;
    if (isSurveyDue) await surveyStore(this.#parts.background, signal);
    return waitMs;
  }

  /** Reads some chunks whose time has come. @returns when to look again, in milliseconds */
  async #readDue(nowMs: number, signal: AbortSignal): Promise<number> {
    const { store } = this.#options;
    const page = store.mending.scrubs.oldest(Number.MAX_SAFE_INTEGER, SCRUB_STEP_CHUNKS);
    const waits = page.map(({ readMs }) => this.#waitMs(readMs, nowMs));
    const [first = SCRUB_IDLE_MS] = waits;
    if (first > 0) return Math.min(SCRUB_IDLE_MS, first);
    let bytes = 0;
    for (const [at, chunk] of page.entries()) {
      if (bytes > 0 && (bytes + chunk.bytes > SCRUB_STEP_BYTES || waits[at] !== 0)) break;
      await this.#pacedTurn(signal);
      await scrubChunk(this.#parts.background, chunk.id, signal);
      bytes += chunk.bytes;
    }
    const { bytes: storedBytes } = await store.usage();
    this.#evenUntilMs = performance.now() + evenRestMs(this.#options, bytes, storedBytes);
    return 0;
  }

  /**
   * One that nobody has read yet, or that somebody found damaged, is read at once; another one from half its time on, when
   * the rest after the one before is over: so what came in one day is not read in one day, too. 0: now.
   */
  #waitMs(readMs: number, nowMs: number): number {
    if (readMs === 0) return 0;
    const period = periodMs(this.#options);
    if (readMs + period * OVERDUE_SHARE <= nowMs) return 0;
    return Math.max(0, readMs + period / 2 - nowMs, this.#evenUntilMs - performance.now());
  }

  /** First the rest that the rate demands after what was read and moved since the last one. */
  async #pacedTurn(signal: AbortSignal): Promise<void> {
    const worked = workedBytes(this.#options.count);
    const restMs = leastRestMs(this.#options, worked - this.#restedBytes);
    this.#restedBytes = worked;
    if (restMs >= 1) await delay(restMs, undefined, { signal });
    await this.#turn(signal);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { store, isBusy = (): boolean => false } = this.#options;
    const untilMs = performance.now() + SCRUB_YIELD_MS;
    while ((isBusy() || store.quietMs() < SCRUB_QUIET_MS) && performance.now() < untilMs) {
      await delay(SCRUB_QUIET_MS, undefined, { signal });
    }
    signal.throwIfAborted();
  }
}

/** Of its time: from there on a chunk is read as soon as the rate allows it. */
const OVERDUE_SHARE = 0.9;

function workedBytes({ bytes, movedBytes }: ScrubParts['count']): number {
  return bytes + movedBytes;
}
