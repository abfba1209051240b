import { wrapError } from '../errors.js';
import type { Logger } from '../log.js';
import { isAborted, rest } from '../on-abort.js';

export interface RoundsOptions {
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** Before each round, the first too; spread by half of it both ways, lest all peers of a network move in step. */
  readonly pauseMs: () => number;
  /** Transfers are under way: the round waits until they are over. */
  readonly isBusy: () => boolean;
  /** In words, for the log. */
  readonly doing: string;
  readonly logger: Logger;
}

/** How often a round that waits for transfers looks again. */
const BUSY_POLL_MS = 1_000;

/** Work in the background, again and again, never in the way of transfers. A round that fails is logged, and the next one comes. */
export class Rounds implements AsyncDisposable {
  readonly #options: RoundsOptions;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;

  /** Begins with a pause. */
  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#running = this.#run(this.#life.signal);
  }

  /** Ends the round under way, at once. */
  async close(): Promise<void> {
    this.#life.abort();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { work, pauseMs, isBusy, doing, logger } = this.#options;
    while (!signal.aborted) {
      await rest(pauseMs() * (0.5 + Math.random()), signal, { ref: false });
      while (isBusy() && !isAborted(signal)) await rest(BUSY_POLL_MS, signal, { ref: false });
      if (isAborted(signal)) return;
      try {
        await work(signal);
      } catch (error) {
        if (isAborted(signal)) return;
        const { code, message } = wrapError(error, doing);
        logger.warn({ code, reason: message }, `${doing} failed; it will be tried again`);
      }
    }
  }
}
