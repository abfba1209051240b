import type {
  ChunkHeader,
  ChunkStore,
  ChunkSummary,
  GetOptions,
  ListOptions,
  PutOptions,
  Receipt,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../chunk/chunk-store.js';
import { toHex } from '../bytes.js';
import { OPENED_BYTES, type Holdings, type HoldingsOptions, type HoldingsSource } from '../chunk/holdings.js';
import { idBytes, parseChunkId, type ChunkId, type PeerId, type StripeId, type UserId } from '../chunk/ids.js';
import { segmentIsIntact, verifyShape } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { MAX_IDS_PER_CALL, MAX_INVENTORY_PAGE, REBUILD_TIMEOUT_MS } from '../limits.js';
import { askHome, type HomeAnswer } from './ask-home.js';
import { askLeft, type Left } from './count-left.js';
import { fetchChunk } from './fetch-chunk.js';
import { askOwner, type AskedOwner } from './get-owner.js';
import { fetchPage } from './list-chunks.js';
import { RECEIVER, SENDER } from './methods.js';
import { offerChunk } from './offer-chunk.js';
import { PeerChannel, type PeerChannelOptions } from './peer-channel.js';
import { shapeOf } from './shape.js';

const NO_GRANT = new Uint8Array();
const NOBODY = new Uint8Array();

/** Which chunk another peer shall fetch, and from whom. */
export interface PullOrder {
  readonly chunk: ChunkId;
  /** Absent: the peer rebuilds it from the other chunks of its stripe. */
  readonly source?: PeerId;
  /** For rebuilding: who holds which chunk of the stripe, as far as it is known. */
  readonly holders?: readonly (PeerId | undefined)[];
  readonly label: Uint8Array;
  /** The owner's, for the peer that asks; without it the peer takes no second chunk of a stripe. */
  readonly grant?: Uint8Array;
}

/** A remote peer as a ChunkStore. It believes nothing that it cannot check: see each method. */
export class RemoteStore implements ChunkStore, HoldingsSource {
  readonly channel: PeerChannel;
  readonly #ownsChannel: boolean;

  private constructor(channel: PeerChannel, ownsChannel: boolean) {
    this.channel = channel;
    this.#ownsChannel = ownsChannel;
  }

  /** A store with a connection of its own, made at the first call. */
  static open(options: PeerChannelOptions): RemoteStore {
    return new RemoteStore(PeerChannel.open(options), true);
  }

  /** A store over a connection that others use too; closing the store leaves it open. */
  static over(channel: PeerChannel): RemoteStore {
    return new RemoteStore(channel, false);
  }

  /** Resolves with a receipt whose signature and content have been checked. */
  async put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored> {
    options.signal.throwIfAborted();
    const { grant, signal } = options;
    if (grant === undefined) {
      throw new StorageError('PERMISSION_DENIED', 'Another peer stores a chunk only with a grant of its owner.');
    }
    return await offerChunk(this.channel, header, source, { signal, grant });
  }

  /** The shape is checked against the id, the segments for order and length; their bytes are not hashed. */
  get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    return fetchChunk(this.channel, id, options);
  }

  /** A peer can lie here; audit tells. */
  async has(ids: readonly ChunkId[], options: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>> {
    if (ids.length === 0) return new Set();
    return (await this.holdings(ids, options)).held;
  }

  /** Likewise. Asked for no chunk it tells at least since when the store is open. */
  async holdings(ids: readonly ChunkId[], { owner, signal }: HoldingsOptions): Promise<Holdings> {
    signal.throwIfAborted();
    if (ids.length > MAX_IDS_PER_CALL) {
      throw new StorageError('LIMIT_EXCEEDED', `At most ${String(MAX_IDS_PER_CALL)} chunk ids fit in one call.`);
    }
    const request = { chunks: ids.map(idBytes), owner: owner === undefined ? NOBODY : idBytes(owner) };
    const told = await this.channel.unary(RECEIVER.hasChunks, request, { signal });
    const asked = new Set(ids);
    const among = (chunks: readonly Uint8Array[]): Set<ChunkId> =>
      new Set(chunks.map((chunk) => this.#believe(() => parseChunkId(chunk))).filter((id) => asked.has(id)));
    return {
      held: among(told.chunks),
      damaged: among(told.damaged),
      withdrawn: among(told.withdrawn),
      opened: toHex(told.opened.subarray(0, OPENED_BYTES)),
    };
  }

  /** The peer goes by `authorization` alone; `owner` and `ids` are what the order says. */
  async delete(
    _owner: UserId,
    ids: readonly ChunkId[],
    options: { readonly signal: AbortSignal; readonly authorization?: Uint8Array },
  ): Promise<void> {
    options.signal.throwIfAborted();
    if (ids.length === 0) return;
    if (options.authorization === undefined) {
      throw new StorageError('PERMISSION_DENIED', 'Another peer deletes a chunk only by a signed order of its owner.');
    }
    await this.channel.unary(RECEIVER.deleteChunks, { order: options.authorization }, options);
  }

  /** One page after the other, each in memory whole. See fetchPage for what of it is checked. */
  async *list({ signal, owner, after, authorization }: ListOptions): AsyncGenerator<ChunkSummary> {
    signal.throwIfAborted();
    if (owner === undefined || authorization === undefined) {
      throw new StorageError(
        'PERMISSION_DENIED',
        'Another peer lists only the chunks of one owner, by a signed order.',
      );
    }
    for (let last = after; ;) {
      const page = await fetchPage(this.channel, { owner, order: authorization, after: last }, signal);
      yield* page;
      if (page.length < MAX_INVENTORY_PAGE) return;
      last = page.at(-1)?.id;
    }
  }

  /** The documents that the peer keeps of a user: as they came, bounded in number and size, not verified. */
  owners(asked: AskedOwner, options: { readonly signal: AbortSignal }): Promise<readonly Uint8Array[]> {
    return askOwner(this.channel, asked, options);
  }

  /** Of a peer that is leaving. @throws StorageError CONFLICT when it is not, or has not heard of it yet */
  countLeft(options: { readonly signal: AbortSignal }): Promise<Left> {
    return askLeft(this.channel, options);
  }

  /** What the peer says, as a home of the owner, of stripes that no file is known for here. */
  askHome(
    asked: { readonly order: Uint8Array; readonly stripes: readonly StripeId[] },
    options: { readonly signal: AbortSignal },
  ): Promise<HomeAnswer> {
    return askHome(this.channel, asked, options);
  }

  /** Proves that the peer holds this segment of the chunk. @throws StorageError CORRUPT when it does not */
  async audit(id: ChunkId, segment: number, options: { readonly signal: AbortSignal }): Promise<void> {
    const answer = await this.channel.unary(SENDER.auditChunk, { chunk: idBytes(id), segment }, options);
    const shape = shapeOf(answer.shape);
    verifyShape(id, shape);
    if (answer.segment?.index !== segment || !segmentIsIntact(shape, answer.segment)) {
      throw this.#corrupt(`a segment ${String(segment)} that is not the one of chunk ${id.slice(0, 12)}…`);
    }
  }

  /** Asks the peer to fetch a chunk from another, or to rebuild it. Its receipt is not verified: who asks knows owner and length. */
  async pull(order: PullOrder, options: { readonly signal: AbortSignal }): Promise<Receipt> {
    const request = {
      chunk: idBytes(order.chunk),
      sourcePeer: order.source === undefined ? NOBODY : idBytes(order.source),
      holders: (order.holders ?? []).map((peer) => (peer === undefined ? NOBODY : idBytes(peer))),
      label: order.label,
      grant: order.grant ?? NO_GRANT,
    };
    // The peer moves a whole chunk meanwhile, or k of them, with time-outs of its own.
    const timeoutMs = order.source === undefined ? REBUILD_TIMEOUT_MS : 2 * this.channel.idle.ms;
    const { receipt, signature } = await this.channel.unary(RECEIVER.pullChunk, request, { ...options, timeoutMs });
    return { peer: this.channel.peer.id, body: receipt, signature };
  }

  async close(): Promise<void> {
    if (this.#ownsChannel) await this.channel.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What does not parse in an answer is the peer's damage, not an argument of ours. */
  #believe<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#corrupt('an answer that could not be read', error);
    }
  }

  #corrupt(what: string, cause?: unknown): StorageError {
    return new StorageError('CORRUPT', `${this.channel.name} sent ${what}.`, { cause });
  }
}
