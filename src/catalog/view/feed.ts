import { setTimeout } from 'node:timers/promises';
import { wrapError } from '../../errors.js';
import { MAX_FEED_WAIT_MS, MIN_FEED_WAIT_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { DocumentDatabase } from '../../documents/document-database.js';

export interface FeedOptions {
  /** Where the feed stood before everything that is known was read. */
  readonly since: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Ids of documents that are new, or that were heard of before. */
  readonly take: (ids: readonly string[]) => Promise<void>;
  /** Takes whatever the database has. */
  readonly catchUp: () => Promise<void>;
}

/** Follows a database until the signal aborts. When the feed breaks, it waits, catches up and goes on: nothing is left out. */
export async function followFeed(database: DocumentDatabase, options: FeedOptions): Promise<void> {
  const { signal, logger } = options;
  let { since } = options;
  let waitMs = MIN_FEED_WAIT_MS;
  let isBehind = false;
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    try {
      if (isBehind) {
        since = await database.sequence();
        await options.catchUp();
        isBehind = false;
      }
      for await (const ids of database.changes({ since, signal })) {
        await options.take(ids);
        waitMs = MIN_FEED_WAIT_MS;
      }
      // It ended by itself only when the database is being closed.
      isBehind = true;
    } catch (error) {
      if (isOver()) return;
      logger.warn({ code: wrapError(error, 'Following the catalog').code }, 'the feed of catalog changes broke');
      isBehind = true;
    }
    await pause(waitMs, signal);
    waitMs = Math.min(waitMs * 2, MAX_FEED_WAIT_MS);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
