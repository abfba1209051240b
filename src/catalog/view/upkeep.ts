import { wrapError } from '../../errors.js';
import { DOCUMENT_PAGE, STATE_AFTER_CHANGES } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { DocumentDatabase } from '../../documents/document-database.js';
import type { CommitQueue } from './commit-queue.js';
import { hashOf, isViewDocument } from './document-id.js';
import { followFeed } from './feed.js';
import type { DumpPart } from './state.js';
import { writeState } from './state-writer.js';
import type { UserDocuments } from './user-documents.js';

export interface UpkeepOptions {
  readonly database: DocumentDatabase;
  readonly documents: UserDocuments;
  readonly queue: CommitQueue;
  readonly logger: Logger;
  /** Does right by what came from elsewhere. */
  readonly tend: () => Promise<void>;
}

/** What goes on beside the calls of one user's catalog: what arrives is taken in, and changes are summed up. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #closed = new AbortController();
  readonly #jobs = new Set<Promise<unknown>>();
  readonly #listeners = new Set<() => void>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Aborts when the catalog is being closed. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** @returns what ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Closing waits for it. */
  async run<T>(job: Promise<T>): Promise<T> {
    this.#jobs.add(job);
    try {
      return await job;
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** @param since where the feed stood before the view was read */
  follow(since: string): void {
    const { database, logger } = this.#options;
    const take = (ids: readonly string[]): Promise<void> => this.#take(ids);
    const catchUp = (): Promise<void> => this.catchUp();
    void this.run(followFeed(database, { since, signal: this.signal, logger, take, catchUp }));
  }

  /** Takes in whatever the database has. */
  async catchUp(): Promise<void> {
    const { documents, queue } = this.#options;
    await queue.run(({ view }) => documents.catchUp(view), { alone: true });
    this.notify();
    this.tend();
  }

  /** In the background: what it cannot do now is done when something comes again. */
  tend(): void {
    const { tend, logger } = this.#options;
    const work = async (): Promise<void> => {
      try {
        await tend();
      } catch (error) {
        if (this.signal.aborted) return;
        logger.warn({ code: wrapError(error, 'Answering removals').code }, 'removals of others could not be answered');
      }
    };
    void this.run(work());
  }

  /**
   * Sums the changes up for later unlocks, when reading them one by one has become the longer way: at least as many
   * documents as the sum will have, so that all sums together cost no more than the changes did.
   */
  sumUp(): void {
    const { documents, queue } = this.#options;
    const { arrivals } = queue.view;
    if (arrivals.loose < Math.max(STATE_AFTER_CHANGES, arrivals.largestDump) || documents.isNewer) return;
    void this.run(this.#sumUp());
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#jobs);
  }

  /** In the queue of commits, so that each of them is planned against one view. */
  async #take(ids: readonly string[]): Promise<void> {
    const { documents, queue } = this.#options;
    const { arrivals } = queue.view;
    const ahead = ids.filter((id) => isViewDocument(id) && !arrivals.has(hashOf(id)));
    for (let at = 0; at < ahead.length; at += DOCUMENT_PAGE) {
      const page = ahead.slice(at, at + DOCUMENT_PAGE);
      if (await queue.run(({ view }) => documents.update(view, page), { alone: true })) this.notify();
    }
    if (ahead.length > 0) this.tend();
  }

  async #sumUp(): Promise<void> {
    const { documents, queue, logger } = this.#options;
    const { view } = queue;
    const onPart = (part: DumpPart, hash: string): void => {
      view.arrivals.note(hash);
      view.arrivals.noteDump(part, hash);
    };
    try {
      const changes = view.arrivals.loose;
      await writeState(view, documents, { base: false, signal: this.signal, onPart });
      logger.info({ changes }, 'the catalog was summed up');
    } catch (error) {
      if (this.signal.aborted) return;
      logger.warn({ code: wrapError(error, 'Summing up').code }, 'the catalog could not be summed up');
    }
  }
}
