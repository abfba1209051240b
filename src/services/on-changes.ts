import { setTimeout as delay } from 'node:timers/promises';
import type { DocumentDatabase } from '../documents/document-database.js';
import { wrapError } from '../errors.js';
import { PROVISION_RETRY_MS } from '../limits.js';
import type { Logger } from '../log.js';

export interface OnChangesOptions {
  readonly database: Pick<DocumentDatabase, 'sequence' | 'changes'>;
  /** Done at once, after each change, and when `pauseMs` have passed without one. What it fails with is logged, and it is done again. */
  readonly work: () => Promise<void>;
  readonly pauseMs: number;
  /** What `work` is, for the log. */
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Keeps something as a database says, until the signal aborts. */
export async function onChanges(options: OnChangesOptions): Promise<void> {
  const { database, work, pauseMs, doing, signal, logger } = options;
  while (!isOver(signal)) {
    try {
      const since = await database.sequence();
      await work();
      const patience = AbortSignal.any([signal, AbortSignal.timeout(pauseMs)]);
      await firstOf(database.changes({ since, signal: patience }));
    } catch (error) {
      const { code, message } = wrapError(error, doing);
      if (!isOver(signal)) logger.warn({ code, reason: message }, `${doing} failed; it will be tried again`);
      await rest(PROVISION_RETRY_MS, signal);
    }
  }
}

/** A call, so that the compiler does not take what it was before an await for what it is. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

async function firstOf(changes: AsyncIterable<unknown>): Promise<void> {
  const iterator = changes[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.return?.();
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  // An aborted wait is the end that was asked for.
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
