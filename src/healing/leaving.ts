import type { ChunkStore } from '../chunk/chunk-store.js';
import { StorageError, wrapError } from '../errors.js';
import type { PeerLinks } from '../file/peer-links.js';
import { DEPARTURE_ASKS } from '../limits.js';
import type { Logger } from '../log.js';
import { briefOf, HoldingsAsk, type HoldingsAskOptions, type PlacedChunk } from './ask-holdings.js';
import { labelledChunks, placeOf, type LabelledChunk } from './chunk-labels.js';
import { askMembers, stripeOfLabel, type HealingNetwork } from './stripe-holders.js';

export interface LeavingOptions {
  readonly network: HealingNetwork & { readonly links: Pick<PeerLinks, 'holdings'> };
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

/** Of a chunk here: where it lies as well, by its record. */
interface GivenChunk extends PlacedChunk {
  readonly bytes: number;
}

const UNCOUNTED: LeftHere = { chunks: 0, bytes: 0, countedMs: 0 };

/**
 * A peer that is leaving knows better than anybody what lies there and nowhere else, whosever it is: it has the chunks, and
 * a label of each. A chunk is left while the record of its stripe places it here, or at nobody, or at a peer that does not say
 * that it has it sound: that one may have lost its disk since, or have found its copy damaged. Without a record, as for what
 * repair once brought here, it is left while no other peer says so, and k others of its stripe are there: of fewer nothing can
 * be read anyway.
 */
export class LeavingCount implements AsyncDisposable {
  readonly #options: LeavingOptions;
  readonly #life = new AbortController();
  #latest = UNCOUNTED;
  #counting: Promise<void> | undefined;
  /** By the monotonic clock, before which no other count begins. */
  #restUntilMs = 0;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /**
   * The last count; another begins, after a rest as long as the last one took.
   *
   * @throws StorageError CONFLICT when this peer is not leaving: counting is work that nobody else may ask for
   */
  latest(): LeftHere {
    const { network } = this.#options;
    if (network.book.get(network.self)?.state !== 'draining') {
      this.#latest = UNCOUNTED;
      throw new StorageError('CONFLICT', 'This peer is not leaving, or has not heard of it yet.');
    }
    const startedMs = performance.now();
    if (startedMs < this.#restUntilMs) return this.#latest;
    this.#counting ??= this.#count().finally(() => {
      const endedMs = performance.now();
      this.#restUntilMs = endedMs + (endedMs - startedMs);
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
    const { clock, logger } = this.#options;
    const { signal } = this.#life;
    const countedMs = clock();
    try {
      const left = await this.#left();
      this.#latest = { ...left, countedMs };
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = wrapError(error, 'Counting');
      logger.warn({ code, reason: message }, 'what this peer still has to hand over could not be counted');
    }
  }

  async #left(): Promise<Omit<LeftHere, 'countedMs'>> {
    const { network, local } = this.#options;
    const left = { chunks: 0, bytes: 0 };
    const ask = new HoldingsAsk<GivenChunk>(network.links, this.#pace());
    const take = async (): Promise<void> => {
      for (const { answer, bytes } of await ask.answers()) {
        if (answer !== 'held') continue;
        left.chunks--;
        left.bytes -= bytes;
      }
    };
    // A chunk of several owners has to be at hand for each of them.
    for await (const page of labelledChunks(local, network, this.#life.signal)) {
      const kept = await this.#withoutHandedOver(page);
      // All of them are left, until somebody says otherwise: who is silent says nothing.
      for (const chunk of kept) {
        left.chunks++;
        left.bytes += chunk.summary.bytes;
        const given = givenOf(chunk);
        if (given !== undefined && given.peer !== network.self) ask.add(given);
      }
      if (ask.isFull) await take();
    }
    await ask.flush();
    await take();
    return left;
  }

  /** Without those that have no record, and are not left. */
  async #withoutHandedOver(page: readonly LabelledChunk[]): Promise<readonly LabelledChunk[]> {
    const kept = page.filter(({ record }) => record !== undefined);
    const unknown = page.filter(({ record }) => record === undefined);
    for (let at = 0; at < unknown.length; at += DEPARTURE_ASKS) {
      const some = unknown.slice(at, at + DEPARTURE_ASKS).map(async (chunk) => {
        if (await this.#isLeft(chunk)) kept.push(chunk);
      });
      await Promise.all(some);
    }
    return kept;
  }

  /** Without a record: while no other peer says that it has it sound, and it is of use. */
  async #isLeft({ summary: { id }, label }: LabelledChunk): Promise<boolean> {
    const { network } = this.#options;
    const stripe = stripeOfLabel(label);
    const { holders, silent } = await askMembers(stripe, network, this.#life.signal);
    const index = stripe.chunks.indexOf(id);
    // What they said counts what is damaged, too.
    const ask = new HoldingsAsk(network.links, this.#pace());
    const placed = { chunk: id, stripe: { id: stripe.id, owner: label.owner, k: stripe.k } };
    for (const { index: of, peer } of holders) if (of === index && peer !== network.self) ask.add({ peer, ...placed });
    await ask.flush();
    if ((await ask.answers()).some(({ answer }) => answer === 'held')) return false;
    const others = new Set(holders.flatMap((holder) => (holder.index === index ? [] : holder.index)));
    return others.size + silent.length >= stripe.k;
  }

  #pace(): HoldingsAskOptions {
    const { book } = this.#options.network;
    const onSilent = book.reportFailure.bind(book);
    return { restMs: 0, signal: this.#life.signal, onSilent };
  }
}

/** undefined: it has no record, or lies at nobody by it. */
function givenOf({ summary: { id, bytes }, record }: LabelledChunk): GivenChunk | undefined {
  const peer = record && placeOf(record, id)?.peer;
  return record && peer && { peer, chunk: id, stripe: briefOf(record), bytes };
}
