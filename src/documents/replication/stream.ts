import type { PeerId } from '../../chunk/ids.js';
import { type ErrorCode, StorageError, wrapError } from '../../errors.js';
import {
  MAX_MISSING_DATABASE_WAIT_MS,
  MAX_REPLICATION_WAIT_MS,
  MIN_REPLICATION_WAIT_MS,
  REPLICATION_PAGE,
} from '../../limits.js';
import type { Logger } from '../../log.js';
import type { Checkpoints } from './checkpoints.js';
import type { Endpoint, FeedPage, NamedRevisions, RefusedRevision } from './endpoint.js';
import { Pace } from './pace.js';
import type { Turns } from './turns.js';
import { isAborted, rest } from '../../on-abort.js';

export type Direction = 'push' | 'pull';

/** How one database stands with one backup host, in one direction. Times are Unix milliseconds. */
export interface StreamState {
  readonly host: PeerId;
  readonly database: string;
  readonly direction: Direction;
  /** `waiting`: all is copied; `failing`: it will be tried again at `retryAtMs`. */
  readonly phase: 'connecting' | 'copying' | 'waiting' | 'failing' | 'closed';
  /** Of the source's feed, up to where everything was offered to the target. */
  readonly sequence: string;
  /** Changes behind it; undefined when the source does not count them. */
  readonly pending: number | undefined;
  /** Since this process began. */
  readonly written: number;
  readonly refused: number;
  readonly lastRefusal?: RefusedRevision;
  /** It may be over: see `phase`. */
  readonly lastError?: { readonly code: ErrorCode; readonly message: string; readonly atMs: number };
  readonly lastSuccessMs?: number;
  /** Of a stream that fails. */
  readonly retryAtMs: number | undefined;
}

/** Both ends of a stream, for as long as one session lasts. */
export interface StreamEnds {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly checkpoints: Checkpoints;
  readonly release: () => void;
}

export interface StreamOptions {
  readonly host: PeerId;
  readonly database: string;
  readonly direction: Direction;
  readonly connect: () => Promise<StreamEnds>;
  /** Shared by all streams with a host, so that batches in memory are few. */
  readonly turns: Turns;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** 0 to 1: spreads the attempts of many peers when a host comes back. */
  readonly random: () => number;
}

/** The wait after this many failures in a row. */
export function waitAfter(failures: number, code: ErrorCode, random: number): number {
  // A host makes a database soon after it learns of it.
  const longest = code === 'NOT_FOUND' ? MAX_MISSING_DATABASE_WAIT_MS : MAX_REPLICATION_WAIT_MS;
  const wait = Math.min(longest, MIN_REPLICATION_WAIT_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(wait * (0.5 + random / 2));
}

/** Copies what changes from one database to another, for ever, whatever fails. */
export class ReplicationStream implements AsyncDisposable {
  readonly #options: StreamOptions;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;
  #state: StreamState;
  /** Since the last page that was copied. */
  #failures = 0;
  #wake = new AbortController();

  constructor(options: StreamOptions) {
    this.#options = options;
    const { host, database, direction } = options;
    const counts = { sequence: '0', pending: undefined, written: 0, refused: 0, retryAtMs: undefined };
    this.#state = { host, database, direction, phase: 'connecting', ...counts };
    this.#running = this.#run();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Ends a wait for the next attempt. */
  retryNow(): void {
    this.#wake.abort();
  }

  close(): Promise<void> {
    this.#life.abort(new StorageError('CANCELLED', 'Replication ends.'));
    return this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    while (!isAborted(signal)) {
      try {
        await this.#session(signal);
      } catch (error) {
        if (isAborted(signal)) break;
        this.#failures++;
        await this.#rest(error, signal);
      }
    }
    this.#state = { ...this.#state, phase: 'closed' };
  }

  async #rest(error: unknown, signal: AbortSignal): Promise<void> {
    const { logger, nowMs, random, host, database, direction } = this.#options;
    const { code, message } = wrapError(error, 'Replication');
    const waitMs = waitAfter(this.#failures, code, random());
    const atMs = nowMs();
    this.#state = { ...this.#state, phase: 'failing', lastError: { code, message, atMs }, retryAtMs: atMs + waitMs };
    const level = this.#failures === 1 && code !== 'NOT_FOUND' ? 'warn' : 'debug';
    logger[level](
      { host, database, direction, code, reason: message, waitMs },
      'replication failed and will be tried again',
    );
    this.#wake = new AbortController();
    await rest(waitMs, AbortSignal.any([signal, this.#wake.signal]));
    this.#state = { ...this.#state, retryAtMs: undefined };
  }

  async #session(signal: AbortSignal): Promise<void> {
    const ends = await this.#options.connect();
    try {
      let since = await ends.checkpoints.read(signal);
      this.#succeed({ sequence: since });
      const pace = new Pace();
      let isEnd = false;
      for (;;) {
        signal.throwIfAborted();
        const startedMs = performance.now();
        // The first page comes at once, so that it is soon known whether there is anything to copy.
        const waitMs = isEnd ? pace.waitMs : 0;
        const page = await ends.source.feed({ since, limit: REPLICATION_PAGE, waitMs, signal });
        if (page.last === since && page.changes.length > 0) {
          throw new StorageError('CORRUPT', 'The feed of changes repeats itself and gets nowhere.');
        }
        // A push that has nothing to tell would not hear that its host lost everything.
        if (page.changes.length === 0 && isEnd && pace.isSaved && this.#options.direction === 'push') {
          await ends.checkpoints.verify(signal);
        }
        const gain = await this.#copy(ends, page, signal);
        isEnd = page.changes.length < REPLICATION_PAGE;
        pace.copied(page, { gain, hasMoved: page.last !== since });
        if (pace.isDue) {
          await ends.checkpoints.write(page.last, signal);
          pace.saved();
        }
        since = page.last;
        this.#failures = 0;
        this.#succeed({ sequence: since, pending: page.pending });
        const pauseMs = pace.pauseMs(waitMs - (performance.now() - startedMs));
        if (pauseMs > 0) await rest(pauseMs, signal);
        // Not before the rest: nobody has looked at what was written meanwhile.
        if (isEnd) this.#state = { ...this.#state, phase: 'waiting' };
      }
    } finally {
      ends.release();
    }
  }

  #succeed(change: Partial<StreamState>): void {
    this.#state = { ...this.#state, ...change, lastSuccessMs: this.#options.nowMs() };
  }

  /** @returns by how many the revisions that the target took are more than those that were refused */
  async #copy({ source, target }: StreamEnds, page: FeedPage, signal: AbortSignal): Promise<number> {
    const offered = [...page.changes, ...(page.beside ?? [])];
    if (offered.length === 0) return 0;
    this.#state = { ...this.#state, phase: 'copying' };
    return this.#options.turns.take(async () => {
      signal.throwIfAborted();
      let gain = 0;
      // What comes beside a page may be many times as much.
      for (let at = 0; at < offered.length; at += REPLICATION_PAGE) {
        const missing = await target.missing(offered.slice(at, at + REPLICATION_PAGE), signal);
        if (missing.length > 0) gain += await this.#transfer({ source, target }, missing, signal);
      }
      return gain;
    });
  }

  async #transfer(
    { source, target }: Pick<StreamEnds, 'source' | 'target'>,
    missing: readonly NamedRevisions[],
    signal: AbortSignal,
  ): Promise<number> {
    let gain = 0;
    for await (const { revisions, refused } of source.read(missing, signal)) {
      const failed = revisions.length === 0 ? [] : await target.write(revisions, signal);
      const written = revisions.length - failed.length;
      gain += written - failed.length - refused.length;
      this.#count(written, [...refused, ...failed]);
    }
    return gain;
  }

  #count(written: number, refused: readonly RefusedRevision[]): void {
    const state = this.#state;
    this.#state = { ...state, written: state.written + written, refused: state.refused + refused.length };
    const last = refused.at(-1);
    if (last === undefined) return;
    this.#state = { ...this.#state, lastRefusal: last };
    const { logger, host, database, direction } = this.#options;
    const { id, reason } = last;
    logger.warn({ host, database, direction, refused: refused.length, document: id, reason }, 'documents were refused');
  }
}
