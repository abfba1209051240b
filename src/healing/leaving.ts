import type { StripeRecord } from '../catalog/catalog.js';
import type { ChunkStore, ChunkSummary } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { StorageError, wrapError } from '../errors.js';
import { DEPARTURE_ASKS, SURVEY_PAGE } from '../limits.js';
import type { Logger } from '../log.js';
import { readLabel } from './chunk-labels.js';
import { askMembers, stripeOfLabel, type HealingNetwork } from './stripe-holders.js';

export interface LeavingOptions {
  readonly network: HealingNetwork;
  /** This peer's own. */
  readonly local: Pick<ChunkStore, 'list'>;
  /** Unix time. */
  readonly clock: () => number;
  readonly logger: Logger;
}

/** What of its own chunks a peer that is leaving still has to hand over. */
export interface LeftHere {
  readonly chunks: number;
  readonly bytes: number;
  /** Unix time when the count began; 0: the first one is not done yet. */
  readonly countedMs: number;
}

const UNCOUNTED: LeftHere = { chunks: 0, bytes: 0, countedMs: 0 };

/**
 * A peer that is leaving knows better than anybody what lies there and nowhere else, whosever it is: it has the chunks, and
 * a label of each. A chunk is left while the record of its stripe places it here, or at nobody. Without a record, as for
 * what repair once brought here, it is left while no other peer says that it has it, and k others of its stripe are there: of
 * fewer nothing can be read anyway.
 */
export class LeavingCount implements AsyncDisposable {
  readonly #options: LeavingOptions;
  readonly #life = new AbortController();
  #latest = UNCOUNTED;
  #counting: Promise<void> | undefined;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /**
   * The last count; another begins.
   *
   * @throws StorageError CONFLICT when this peer is not leaving: counting is work that nobody else may ask for
   */
  latest(): LeftHere {
    const { network } = this.#options;
    if (network.book.get(network.self)?.state !== 'draining') {
      this.#latest = UNCOUNTED;
      throw new StorageError('CONFLICT', 'This peer is not leaving, or has not heard of it yet.');
    }
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    return this.#latest;
  }

  async close(): Promise<void> {
    this.#life.abort();
    await this.#counting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #count(): Promise<void> {
    const { local, clock, logger } = this.#options;
    const { signal } = this.#life;
    const countedMs = clock();
    const left = { chunks: 0, bytes: 0 };
    try {
      let page: ChunkSummary[] = [];
      const look = async (): Promise<void> => {
        for (const { bytes } of await this.#leftOf(page)) {
          left.chunks++;
          left.bytes += bytes;
        }
        page = [];
      };
      // A chunk of several owners is several in this list, and has to be at hand for each of them.
      for await (const summary of local.list({ signal })) {
        page.push(summary);
        if (page.length === SURVEY_PAGE) await look();
      }
      await look();
      this.#latest = { ...left, countedMs };
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = wrapError(error, 'Counting');
      logger.warn({ code, reason: message }, 'what this peer still has to hand over could not be counted');
    }
  }

  async #leftOf(page: readonly ChunkSummary[]): Promise<readonly ChunkSummary[]> {
    const { network } = this.#options;
    const labelled = page.flatMap((summary) => {
      // What has no label that is right belongs to no stripe.
      const label = readLabel(summary.label);
      return label === undefined ? [] : [{ summary, label }];
    });
    const records = await network.catalog.stripes(labelled.map(({ label }) => label.stripe));
    const left: ChunkSummary[] = [];
    for (let at = 0; at < labelled.length; at += DEPARTURE_ASKS) {
      const some = labelled.slice(at, at + DEPARTURE_ASKS).map(async ({ summary, label }, index) => {
        const record = records[at + index];
        const isLeft =
          record === undefined ? await this.#isLast(summary.id, label) : isHere(summary.id, record, network);
        if (isLeft) left.push(summary);
      });
      await Promise.all(some);
    }
    return left;
  }

  /** No other peer says that it has it, and it is of use. */
  async #isLast(id: ChunkId, label: NonNullable<ReturnType<typeof readLabel>>): Promise<boolean> {
    const { network } = this.#options;
    const stripe = stripeOfLabel(label);
    const { holders, silent } = await askMembers(stripe, network, this.#life.signal);
    const index = stripe.chunks.indexOf(id);
    if (holders.some((holder) => holder.index === index && holder.peer !== network.self)) return false;
    const others = new Set(holders.flatMap((holder) => (holder.index === index ? [] : holder.index)));
    return others.size + silent.length >= stripe.k;
  }
}

function isHere(id: ChunkId, record: StripeRecord, { self }: HealingNetwork): boolean {
  const peer = record.placement[record.chunks.indexOf(id)]?.peer;
  return peer === undefined || peer === self;
}
