import { setTimeout as delay } from 'node:timers/promises';
import type { StripeRecord } from '../catalog/catalog.js';
import type { ChunkId, PeerId, UserId } from '../chunk/ids.js';
import type { PeerLinks } from '../file/peer-links.js';
import { HOLDINGS_TIMEOUT_MS, MAX_IDS_PER_CALL } from '../limits.js';
import { timeLimit } from '../time-limit.js';
import type { DenialReason } from './denials.js';

/** A chunk, and where the record of its stripe says that it lies. */
export interface PlacedChunk {
  readonly peer: PeerId;
  readonly chunk: ChunkId;
  readonly stripe: Pick<StripeRecord, 'id' | 'owner' | 'k'>;
}

export type AnsweredChunk<Placed extends PlacedChunk = PlacedChunk> = Placed & {
  readonly answer: 'held' | DenialReason;
};

export interface HoldingsAskOptions {
  /** After each call. */
  readonly restMs: number;
  readonly signal: AbortSignal;
  /** Also ask what the owners took back: a call is about one owner's chunks then. */
  readonly byOwner?: boolean;
  /** A peer has just left a question unanswered. */
  readonly onSilent?: (peer: PeerId) => void;
}

interface Batch<Placed> {
  readonly peer: PeerId;
  readonly owner: UserId | undefined;
  chunks: Placed[];
}

/** Asks many peers about many chunks, MAX_IDS_PER_CALL in a call. Whoever does not answer once is not asked again. */
export class HoldingsAsk<Placed extends PlacedChunk = PlacedChunk> {
  readonly #links: Pick<PeerLinks, 'holdings'>;
  readonly #options: HoldingsAskOptions;
  readonly #batches = new Map<string, Batch<Placed>>();
  #full: Batch<Placed>[] = [];
  #answers: AnsweredChunk<Placed>[] = [];
  readonly #silent = new Set<PeerId>();
  readonly #opened = new Map<PeerId, string>();

  constructor(links: Pick<PeerLinks, 'holdings'>, options: HoldingsAskOptions) {
    this.#links = links;
    this.#options = options;
  }

  /** Peers that left a question unanswered. */
  get silent(): ReadonlySet<PeerId> {
    return this.#silent;
  }

  /** The mark that came with a peer's first answer: what it was asked later, it may have answered from another store. */
  opened(peer: PeerId): string | undefined {
    return this.#opened.get(peer);
  }

  /** `answers` has something to ask. */
  get isFull(): boolean {
    return this.#full.length > 0;
  }

  add(placed: Placed): void {
    const owner = this.#options.byOwner === true ? placed.stripe.owner : undefined;
    const key = `${placed.peer} ${owner ?? ''}`;
    const batch = this.#batches.get(key) ?? { peer: placed.peer, owner, chunks: [] };
    this.#batches.set(key, batch);
    batch.chunks.push(placed);
    if (batch.chunks.length < MAX_IDS_PER_CALL) return;
    this.#full.push({ ...batch });
    batch.chunks = [];
  }

  /** Asks about what has been added, too, and is less than a call's worth. */
  async flush(): Promise<void> {
    for (const batch of this.#batches.values()) if (batch.chunks.length > 0) this.#full.push(batch);
    this.#batches.clear();
    await this.#ask();
  }

  /** Asks about what makes whole calls. @returns what has been answered since the last time */
  async answers(): Promise<readonly AnsweredChunk<Placed>[]> {
    await this.#ask();
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  async #ask(): Promise<void> {
    const full = this.#full;
    this.#full = [];
    for (const batch of full) {
      if (this.#silent.has(batch.peer)) continue;
      await this.#askOne(batch);
      if (this.#options.restMs > 0) await delay(this.#options.restMs, undefined, { signal: this.#options.signal });
    }
  }

  async #askOne({ peer, owner, chunks }: Batch<Placed>): Promise<void> {
    const { signal, onSilent } = this.#options;
    using patience = timeLimit(HOLDINGS_TIMEOUT_MS, signal);
    try {
      const ids = [...new Set(chunks.map(({ chunk }) => chunk))];
      const told = await this.#links.holdings(peer, ids, { ...(owner && { owner }), signal: patience.signal });
      if (!this.#opened.has(peer)) this.#opened.set(peer, told.opened);
      for (const placed of chunks) this.#answers.push({ ...placed, answer: answerOf(placed.chunk, told) });
    } catch {
      // Whatever is wrong with it: it has said nothing, and is asked again some other time.
      signal.throwIfAborted();
      this.#silent.add(peer);
      onSilent?.(peer);
    }
  }
}

/** The label and the receipts of a record are long, and many chunks wait for their answer. */
export function briefOf({ id, owner, k }: PlacedChunk['stripe']): PlacedChunk['stripe'] {
  return { id, owner, k };
}

function answerOf(
  chunk: ChunkId,
  { held, damaged, withdrawn }: Readonly<Record<'held' | 'damaged' | 'withdrawn', ReadonlySet<ChunkId>>>,
): AnsweredChunk['answer'] {
  if (damaged.has(chunk)) return 'damaged';
  if (held.has(chunk)) return 'held';
  return withdrawn.has(chunk) ? 'withdrawn' : 'missing';
}
