import { StorageError, wrapError } from '../../errors.js';
import { FORMER_LOOK_MS, MAX_FEED_WAIT_MS, MIN_FEED_WAIT_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { isAborted, onAbort, rest } from '../../on-abort.js';
import { timeLimit } from '../../time-limit.js';
import type { UserCatalog } from '../view/user-catalog.js';
import type { KeyRing } from './key-ring.js';
import type { OpenGeneration, UserGenerations } from './user-generations.js';

export interface FormerDatabasesOptions {
  readonly generations: UserGenerations;
  /** Not wiped before `run` has ended. */
  readonly ring: KeyRing;
  /** The newest generation. */
  readonly catalog: UserCatalog;
  /** See OwnHome. */
  readonly isOver: (generation: number) => Promise<boolean>;
  /** Everything that is in the database of this generation, and that is believed, is in the newest one. */
  readonly onBroughtOver: (generation: number) => Promise<void>;
  readonly logger: Logger;
}

/**
 * The databases of former keys while their user is unlocked. A peer that was away may still push into them what it wrote
 * there. That is brought over into the newest generation as it comes, until nothing is waited for; then they are deleted.
 */
export class FormerDatabases {
  readonly #options: FormerDatabasesOptions;
  #round = new AbortController();

  constructor(options: FormerDatabasesOptions) {
    this.#options = options;
  }

  /** A home of the user has said something: a database may be over, or another may have come. */
  lookAgain(): void {
    this.#round.abort();
  }

  /** Until the signal aborts; does not fail. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = MIN_FEED_WAIT_MS;
    while (!isAborted(signal)) {
      this.#round = new AbortController();
      using round = timeLimit(FORMER_LOOK_MS, AbortSignal.any([signal, this.#round.signal]));
      try {
        await this.#lookAll(round.signal);
        waitMs = MIN_FEED_WAIT_MS;
      } catch (error) {
        if (isAborted(signal)) return;
        const { code, message } = wrapError(error, 'Bringing over what was written under former keys');
        this.#options.logger.warn({ code, reason: message }, 'former databases of a user will be looked at again');
        await rest(waitMs, signal, { ref: false });
        waitMs = Math.min(waitMs * 2, MAX_FEED_WAIT_MS);
      }
    }
  }

  /** One round: until it aborts, or the first failure. */
  async #lookAll(round: AbortSignal): Promise<void> {
    const former = await this.#former();
    const ended = await Promise.allSettled(
      former.map(async (generation) => {
        try {
          await this.#follow(generation, round);
        } catch (error) {
          const isFirst = !isAborted(round);
          this.#round.abort();
          if (isFirst) throw error;
        }
      }),
    );
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
    await aborted(round);
  }

  /** What is here, and what others may still write into. */
  async #former(): Promise<readonly number[]> {
    const { generations, ring, isOver: isNotAwaited } = this.#options;
    const last = ring.generation - 1;
    const former = new Set((await generations.here(ring)).filter((generation) => generation <= last));
    if (last > 0 && !(await isNotAwaited(last))) former.add(last);
    return [...former];
  }

  async #follow(generation: number, signal: AbortSignal): Promise<void> {
    const { generations, ring, isOver: isNotAwaited } = this.#options;
    {
      await using source = await generations.open(generation, ring);
      // Before looking: what comes meanwhile is in the feed.
      const since = await source.database.sequence();
      let left = await this.#bringOver(source, { generation, signal });
      if (left.length > 0 || !(await isNotAwaited(generation))) {
        for await (const ids of source.database.changes({ since, signal })) {
          // A document may have waited for any other, such as its extents.
          left = await this.#bringOver(source, { generation, signal, ids: new Set([...left, ...ids]) });
        }
        signal.throwIfAborted();
        throw new StorageError('UNAVAILABLE', 'The database was closed meanwhile.');
      }
    }
    signal.throwIfAborted();
    await generations.retire(generation);
  }

  /** @returns the ids of what stayed behind */
  async #bringOver({ documents: source }: OpenGeneration, looked: Looked): Promise<readonly string[]> {
    const { generation, signal, ids } = looked;
    const { left } = await this.#options.catalog.bringOver(source, { signal }, ids);
    signal.throwIfAborted();
    if (left.length === 0) await this.#options.onBroughtOver(generation);
    return left;
  }
}

interface Looked {
  readonly generation: number;
  readonly signal: AbortSignal;
  /** Absent: at all. */
  readonly ids?: ReadonlySet<string>;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => onAbort(signal, resolve));
}
