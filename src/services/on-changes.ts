import type { DocumentDatabase } from '../documents/document-database.js';
import { wrapError } from '../errors.js';
import { MIN_ROUND_MS, PROVISION_RETRY_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { isAborted, rest } from '../on-abort.js';
import { timeLimit } from '../time-limit.js';

export interface OnChangesOptions {
  readonly database: Pick<DocumentDatabase, 'sequence' | 'changes'>;
  /**
   * Done at once, after each change, and when `pauseMs` have passed without one. What it fails with is logged, and it is
   * done again.
   */
  readonly work: () => Promise<void>;
  readonly pauseMs: number;
  /** What `work` is, for the log. */
  readonly doing: string;
  readonly logger: Logger;
}

/** Keeps something as a database says. */
export class OnChanges implements AsyncDisposable {
  readonly #options: OnChangesOptions;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;

  /** Begins at once. */
  constructor(options: OnChangesOptions) {
    this.#options = options;
    this.#running = this.#run(this.#life.signal);
  }

  /** Work in progress ends first. */
  async close(): Promise<void> {
    this.#life.abort();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { doing, logger } = this.#options;
    while (!isAborted(signal)) {
      try {
        await this.#round(signal);
      } catch (error) {
        const { code, message } = wrapError(error, doing);
        if (!isAborted(signal)) logger.warn({ code, reason: message }, `${doing} failed; it will be tried again`);
        await rest(PROVISION_RETRY_MS, signal);
      }
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { database, work, pauseMs } = this.#options;
    const since = await database.sequence();
    const startedMs = performance.now();
    await work();
    using patience = timeLimit(pauseMs, signal);
    const changes = database.changes({ since, signal: patience.signal })[Symbol.asyncIterator]();
    await changes.next();
    await changes.return?.();
    // Whoever writes all the time keeps nobody busy all the time.
    const earlyMs = startedMs + MIN_ROUND_MS - performance.now();
    if (earlyMs > 0) await rest(earlyMs, signal);
  }
}
