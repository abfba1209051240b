import type { ChunkStore, ChunkSummary } from '../chunk/chunk-store.js';
import type { PeerId } from '../chunk/ids.js';
import { StorageError, wrapError } from '../errors.js';
import { DEPARTURE_ASKS, PING_TIMEOUT_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { labelledChunks, placeOf, type LabelledChunk } from './chunk-labels.js';
import { timeLimit } from '../time-limit.js';
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
 * a label of each. A chunk is left while the record of its stripe places it here, or at nobody, or at a peer that does not say
 * that it has it: that one may have lost its disk since. Without a record, as for what repair once brought here, it is left
 * while no other peer says that it has it, and k others of its stripe are there: of fewer nothing can be read anyway.
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
    const { network, local, clock, logger } = this.#options;
    const { signal } = this.#life;
    const countedMs = clock();
    const left = { chunks: 0, bytes: 0 };
    const elsewhere = new Elsewhere(network, signal);
    try {
      // A chunk of several owners has to be at hand for each of them.
      for await (const page of labelledChunks(local, network, signal)) {
        for (const { bytes } of await this.#leftOf(page, elsewhere)) {
          left.chunks++;
          left.bytes += bytes;
        }
      }
      this.#latest = { ...left, countedMs };
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = wrapError(error, 'Counting');
      logger.warn({ code, reason: message }, 'what this peer still has to hand over could not be counted');
    }
  }

  async #leftOf(page: readonly LabelledChunk[], elsewhere: Elsewhere): Promise<readonly ChunkSummary[]> {
    const recorded = page.filter(({ record }) => record !== undefined);
    const unknown = page.filter(({ record }) => record === undefined);
    const handed = await elsewhere.of(recorded);
    const left = recorded.filter((chunk) => !handed.has(chunk)).map(({ summary }) => summary);
    for (let at = 0; at < unknown.length; at += DEPARTURE_ASKS) {
      const some = unknown.slice(at, at + DEPARTURE_ASKS).map(async (chunk) => {
        if (await this.#isLeft(chunk)) left.push(chunk.summary);
      });
      await Promise.all(some);
    }
    return left;
  }

  /** Without a record: while no other peer says that it has it, and it is of use. */
  async #isLeft({ summary: { id }, label }: LabelledChunk): Promise<boolean> {
    const { network } = this.#options;
    const stripe = stripeOfLabel(label);
    const { holders, silent } = await askMembers(stripe, network, this.#life.signal);
    const index = stripe.chunks.indexOf(id);
    if (holders.some((holder) => holder.index === index && holder.peer !== network.self)) return false;
    const others = new Set(holders.flatMap((holder) => (holder.index === index ? [] : holder.index)));
    return others.size + silent.length >= stripe.k;
  }
}

/** What the peers that records name say that they have, in one count. */
class Elsewhere {
  readonly #network: HealingNetwork;
  readonly #signal: AbortSignal;
  /** Whoever leaves one question unanswered is asked no more: each costs its patience. */
  readonly #silent = new Set<PeerId>();

  constructor(network: HealingNetwork, signal: AbortSignal) {
    this.#network = network;
    this.#signal = signal;
  }

  /** Of a page of chunks those that lie at another peer, as the records say, and as that peer does. */
  async of(chunks: readonly LabelledChunk[]): Promise<ReadonlySet<LabelledChunk>> {
    const byPeer = new Map<PeerId, LabelledChunk[]>();
    for (const chunk of chunks) {
      const peer = chunk.record && placeOf(chunk.record, chunk.summary.id)?.peer;
      if (peer === undefined || peer === this.#network.self) continue;
      byPeer.set(peer, [...(byPeer.get(peer) ?? []), chunk]);
    }
    const held = await Promise.all([...byPeer].map(([peer, some]) => this.#heldBy(peer, some)));
    return new Set(held.flat());
  }

  async #heldBy(peer: PeerId, chunks: readonly LabelledChunk[]): Promise<readonly LabelledChunk[]> {
    if (this.#silent.has(peer)) return [];
    using patience = timeLimit(PING_TIMEOUT_MS, this.#signal);
    try {
      const ids = [...new Set(chunks.map(({ summary }) => summary.id))];
      const held = await this.#network.links.store(peer).has(ids, { signal: patience.signal });
      return chunks.filter(({ summary }) => held.has(summary.id));
    } catch {
      this.#signal.throwIfAborted();
      this.#network.book.reportFailure(peer);
      this.#silent.add(peer);
      return [];
    }
  }
}
