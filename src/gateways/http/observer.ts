import type { Catalog, Session } from '../../catalog/catalog.js';
import { StorageError, wrapError } from '../../errors.js';
import { EVENT_REST_FACTOR, HISTORY_FIRST_MS, HISTORY_SAMPLE_MS } from '../../limits.js';
import { healedInWords } from '../../healing/scrub-report.js';
import type { Logger } from '../../log.js';
import { isAborted, rest } from '../../on-abort.js';
import type { UserSessions } from '../../services/user-sessions.js';
import type { ActivityBook } from './activity-book.js';
import { addedSince } from './added-since.js';
import type { StatusReply } from './api.js';
import type { HistoryBook, Sample } from './history-book.js';
import { ifAnswered } from './if-answered.js';
import { RepairNews, type RepairState } from './repair-news.js';
import { SafetyNews } from './safety-news.js';
import type { ScrubReply } from './scrub-api.js';
import type { Moved, Transfers } from './transfers.js';

export interface ObserverOptions {
  readonly catalog: Pick<Catalog, 'list'>;
  readonly sessions: UserSessions;
  readonly transfers: Transfers;
  readonly history: HistoryBook;
  readonly activity: ActivityBook;
  readonly status: (signal: AbortSignal) => Promise<StatusReply>;
  /** How scrubbing stands. @throws StorageError UNAVAILABLE when the File Receiver does not answer */
  readonly scrub?: ((signal: AbortSignal) => Promise<ScrubReply>) | undefined;
  /** How other peers stand. @throws StorageError UNAVAILABLE when the File Sender does not answer */
  readonly repair?: ((signal: AbortSignal) => Promise<RepairState>) | undefined;
  readonly logger: Logger;
}

type Peers = ReadonlyMap<string, StatusReply['peers'][number]>;

/** Measures each minute, and writes down what has happened meanwhile. */
export class Observer implements AsyncDisposable {
  readonly #options: ObserverOptions;
  readonly #repairs: RepairNews;
  readonly #safety: SafetyNews;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;
  readonly #stopListening: readonly (() => void)[];
  #peers: Peers | undefined;
  #scrubbed: { readonly at: number; readonly totals: ScrubReply['totals'] } | undefined;
  #moved: { readonly at: number; readonly bytes: Moved };

  /** Begins at once. */
  constructor(options: ObserverOptions) {
    this.#options = options;
    const { activity, transfers, sessions } = options;
    this.#moved = { at: performance.now(), bytes: transfers.moved() };
    this.#stopListening = [
      sessions.onEnd((user) => {
        activity.add('user-locked', `${user} was locked.`);
      }),
      transfers.onChange((user, { kind, state }) => {
        if (state !== 'failed') return;
        activity.add('transfer-failed', `${kind === 'put' ? 'An upload' : 'A download'} of ${user} failed.`);
      }),
    ];
    this.#repairs = new RepairNews(activity);
    this.#safety = new SafetyNews(activity);
    this.#running = this.#run(this.#life.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stopListening) stop();
    this.#life.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    // A peer that has just started has better things to do.
    await rest(HISTORY_FIRST_MS, signal);
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        const status = await this.#options.status(signal);
        this.#notice(status);
        this.#safety.take(status);
        const healed = await this.#noticeHealing(signal);
        const { repair } = this.#options;
        const repairing = repair && (await ifAnswered(repair(signal), signal));
        if (repairing !== undefined) this.#repairs.take(repairing);
        await this.#options.history.add({ ...(await this.#measure(status)), ...healed });
      } catch (error) {
        const { code, message } = wrapError(error, 'Measuring');
        if (!isAborted(signal)) this.#options.logger.warn({ code, reason: message }, 'a minute has no history');
      }
      const restMs = Math.max(HISTORY_SAMPLE_MS, (performance.now() - startedMs) * EVENT_REST_FACTOR);
      await rest(restMs, signal);
    }
  }

  async #measure({ store, peers, safety }: StatusReply): Promise<Sample> {
    const members = peers.filter(({ state }) => state !== 'removed');
    const up = members.filter((peer) => peer.up);
    const latencies = up.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
    const latency = latencies.reduce((sum, each) => sum + each, 0) / latencies.length;
    return {
      ...(store !== null && { chunkBytes: store.bytes, freeBytes: store.freeBytes }),
      ...(await this.#files()),
      ...this.#rates(),
      ...{ peers: members.length, peersUp: up.length },
      ...(latencies.length > 0 && { latency }),
      ...(safety !== null && { stripes: safety.stripes, degradedStripes: safety.degraded }),
    };
  }

  /** Of all who are unlocked; nothing is known of the others. */
  async #files(): Promise<Pick<Sample, 'files' | 'storedBytes'>> {
    const unlocked = this.#options.sessions.background();
    if (unlocked.length === 0) return {};
    let [files, storedBytes] = [0, 0];
    for (const session of unlocked) {
      for (const { type, bytes } of await this.#entries(session)) {
        if (type !== 'file') continue;
        files++;
        storedBytes += bytes;
      }
    }
    return { files, storedBytes };
  }

  /** A session that has just ended by itself has nothing. */
  async #entries(session: Session): ReturnType<Catalog['list']> {
    try {
      return await this.#options.catalog.list(session, '/', { recursive: true });
    } catch (error) {
      if (StorageError.is(error, 'LOCKED')) return [];
      throw error;
    }
  }

  #rates(): Pick<Sample, 'putBytes' | 'getBytes'> {
    const { at, bytes: before } = this.#moved;
    const bytes = this.#options.transfers.moved();
    const nowMs = performance.now();
    const seconds = Math.max((nowMs - at) / 1000, 1);
    this.#moved = { at: nowMs, bytes };
    return {
      putBytes: Math.max(0, bytes.putBytes - before.putBytes) / seconds,
      getBytes: Math.max(0, bytes.getBytes - before.getBytes) / seconds,
    };
  }

  /** What was healed since the last look, or before it when the process that scrubs began after that. */
  async #noticeHealing(signal: AbortSignal): Promise<Pick<Sample, 'healedSegments'>> {
    const { scrub, activity } = this.#options;
    const reply = scrub && (await ifAnswered(scrub(signal), signal));
    if (reply === undefined) return {};
    const before = this.#scrubbed;
    const at = performance.now();
    this.#scrubbed = { at, totals: reply.totals };
    if (before === undefined) return {};
    const healed = addedSince(reply.totals, before.totals);
    const words = healedInWords(healed);
    if (words !== '') activity.add('healed', `${words}.`);
    return { healedSegments: healed.healedSegments / Math.max((at - before.at) / 1000, 1) };
  }

  /** What is seen first is no news. */
  #notice({ peers }: StatusReply): void {
    const now: Peers = new Map(peers.map((peer) => [peer.id, peer]));
    const { activity } = this.#options;
    for (const [id, { name, up, state }] of this.#peers === undefined ? [] : now) {
      const before = this.#peers?.get(id);
      if (before === undefined) activity.add('peer-joined', `${name} has joined the network.`);
      else if (state === 'removed' && before.state !== 'removed') activity.add('peer-removed', `${name} was removed.`);
      else if (state !== 'removed' && before.up && !up) activity.add('peer-gone', `${name} does not answer any more.`);
      else if (state !== 'removed' && !before.up && up) activity.add('peer-back', `${name} answers again.`);
    }
    this.#peers = now;
  }
}
