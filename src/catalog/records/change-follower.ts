import type { DocumentDatabase } from '../../documents/document-database.js';
import { MAX_RECONNECT_MS, MIN_RECONNECT_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { rest } from '../../on-abort.js';

export interface ChangeFollowerOptions {
  readonly database: DocumentDatabase;
  /** Of `sequence()`. */
  readonly since: string;
  readonly onChanges: (ids: readonly string[]) => void;
  /** Changes may have been missed: nothing that was read before is certain. */
  readonly onGap: () => void;
  readonly logger: Logger;
}

/** Hears of every change of a database until it is closed, and begins anew where the feed breaks. */
export class ChangeFollower implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: ChangeFollowerOptions) {
    this.#ended = this.#follow(options);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(options: ChangeFollowerOptions): Promise<void> {
    const { signal } = this.#stop;
    let { since } = options;
    for (let pauseMs = MIN_RECONNECT_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_RECONNECT_MS)) {
      try {
        for await (const ids of options.database.changes({ since, signal })) {
          options.onChanges(ids);
          pauseMs = MIN_RECONNECT_MS;
        }
      } catch (error) {
        if (!this.#stop.signal.aborted)
          options.logger.debug({ err: error }, 'the feed of changes broke; it begins anew');
      }
      await rest(pauseMs, signal, { ref: false });
      since = await this.#restart(options, since);
    }
  }

  async #restart({ database, onGap }: ChangeFollowerOptions, since: string): Promise<string> {
    if (this.#stop.signal.aborted) return since;
    try {
      const next = await database.sequence();
      onGap();
      return next;
    } catch {
      // Still broken: the next attempt says so.
      return since;
    }
  }
}
