import type { ServerDuplexStream, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ChunkHeader, ChunkStore, Receipt } from '../chunk/chunk-store.js';
import type { HoldingsSource } from '../chunk/holdings.js';
import { idBytes, parseChunkId, parsePeerId, parseUserId, type ChunkId, type PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import {
  type DeleteChunksRequest,
  type DeleteChunksResponse,
  type GetOwnerRequest,
  type HasChunksRequest,
  type HasChunksResponse,
  type ListChunksRequest,
  type PullChunkRequest,
  type PullChunkResponse,
  type StoreChunkRequest,
} from '../gen/shoal/v1/receiver.js';
import { MAX_GRANT_BYTES, MAX_IDS_PER_CALL, MAX_LABEL_BYTES, MAX_STRIPE_CHUNKS } from '../limits.js';
import { countLeft, type CountLeft } from './count-left.js';
import { getOwner, type OwnerLookup } from './get-owner.js';
import { listChunks } from './list-chunks.js';
import type { Permissions } from './permissions.js';
import { receiveChunk } from './receive-chunk.js';
import { answerStream, answerUnary, type Edge, type Visit } from './server-call.js';

/** Where a chunk of a stripe may be. */
export interface HolderHint {
  /** Of the chunk in its stripe. */
  readonly index: number;
  readonly peer: PeerId;
}

export interface PullRequest {
  readonly chunk: ChunkId;
  /** undefined: the chunk is rebuilt from the others of its stripe. */
  readonly source: PeerId | undefined;
  /** Whom the caller knows to hold others. */
  readonly holders: readonly HolderHint[];
  /** Signed by its owner, and names the chunk. */
  readonly label: Uint8Array;
  /** The owner lets the caller store this stripe; otherwise only the label vouches for the chunk. */
  readonly granted: boolean;
  /** Who asks. */
  readonly caller: PeerId;
}

/** Fetches a chunk from another peer, or rebuilds it, and keeps it; resolves when it would survive a power cut. */
export type Pull = (request: PullRequest, options: { readonly signal: AbortSignal }) => Promise<Receipt>;

/** What a peer promises for a chunk that its store has just confirmed. */
export type SignReceipt = (header: ChunkHeader) => Receipt;

/** One that is no HoldingsSource says only what it has. */
type AskedStore = ChunkStore & Partial<HoldingsSource>;

export interface FileReceiverOptions {
  readonly store: AskedStore;
  readonly permissions: Permissions;
  readonly signReceipt: SignReceipt;
  /** Absent: PullChunk answers UNSUPPORTED. */
  readonly pull?: Pull;
  /** Absent: GetOwner answers UNSUPPORTED. */
  readonly owners?: OwnerLookup;
  /** Absent: CountLeft answers UNSUPPORTED. */
  readonly countLeft?: CountLeft;
}

function boundedIds(ids: readonly Uint8Array[]): ChunkId[] {
  if (ids.length > MAX_IDS_PER_CALL) {
    throw new StorageError('LIMIT_EXCEEDED', `At most ${String(MAX_IDS_PER_CALL)} chunk ids fit in one call.`);
  }
  return ids.map(parseChunkId);
}

async function hasChunks(store: AskedStore, request: HasChunksRequest, visit: Visit): Promise<HasChunksResponse> {
  const ids = boundedIds(request.chunks);
  const { signal } = visit;
  if (store.holdings === undefined) {
    const stored = await store.has(ids, { signal });
    return { chunks: Array.from(stored, idBytes), damaged: [], withdrawn: [], opened: new Uint8Array() };
  }
  const owner = request.owner.length === 0 ? {} : { owner: parseUserId(request.owner) };
  const { held, damaged, withdrawn, opened } = await store.holdings(ids, { ...owner, signal });
  const bytes = (chunks: ReadonlySet<ChunkId>): Uint8Array[] => Array.from(chunks, idBytes);
  return {
    chunks: bytes(held),
    damaged: bytes(damaged),
    withdrawn: bytes(withdrawn),
    opened: Buffer.from(opened, 'hex'),
  };
}

async function deleteChunks(
  options: FileReceiverOptions,
  request: DeleteChunksRequest,
  visit: Visit,
): Promise<DeleteChunksResponse> {
  const order = options.permissions.checkDelete(request.order);
  await options.store.delete(order.owner, order.chunks, { signal: visit.signal, authorization: request.order });
  return {};
}

async function pullChunk(
  options: FileReceiverOptions,
  request: PullChunkRequest,
  visit: Visit,
): Promise<PullChunkResponse> {
  if (options.pull === undefined) {
    throw new StorageError('UNSUPPORTED', 'This peer does not fetch chunks from other peers.');
  }
  if (request.label.length > MAX_LABEL_BYTES) throw new StorageError('LIMIT_EXCEEDED', 'The label is too long.');
  if (request.grant.length > MAX_GRANT_BYTES) throw new StorageError('LIMIT_EXCEEDED', 'The grant is too long.');
  const asked = { chunk: parseChunkId(request.chunk), label: request.label, grant: request.grant };
  const source = request.sourcePeer.length === 0 ? undefined : parsePeerId(request.sourcePeer);
  const granted = options.permissions.checkPull(asked, visit.caller);
  const { chunk, label } = asked;
  const asking = { source, holders: readHints(request.holders), granted, caller: visit.caller };
  const receipt = await options.pull({ chunk, label, ...asking }, { signal: visit.signal });
  return { receipt: receipt.body, signature: receipt.signature };
}

/** @throws StorageError LIMIT_EXCEEDED for more than a stripe has chunks */
function readHints(holders: readonly Uint8Array[]): HolderHint[] {
  if (holders.length > MAX_STRIPE_CHUNKS) {
    throw new StorageError('LIMIT_EXCEEDED', `A stripe has at most ${String(MAX_STRIPE_CHUNKS)} chunks.`);
  }
  return hintsOf(holders.map((peer) => (peer.length === 0 ? undefined : parsePeerId(peer))));
}

/** @param holders of each chunk of a stripe, where one is known */
export function hintsOf(holders: readonly (PeerId | undefined)[]): HolderHint[] {
  return holders.flatMap((peer, index) => (peer === undefined ? [] : { index, peer }));
}

/** The handlers of shoal.v1.FileReceiver over a store (proto/shoal/v1/receiver.proto). */
export function fileReceiver(options: FileReceiverOptions, edge: Edge): UntypedServiceImplementation {
  return {
    storeChunk: answerStream(edge, (call: ServerDuplexStream<StoreChunkRequest, Buffer>, visit) =>
      receiveChunk(options, call, visit),
    ),
    pullChunk: answerUnary(edge, (request: PullChunkRequest, visit) => pullChunk(options, request, visit)),
    deleteChunks: answerUnary(edge, (request: DeleteChunksRequest, visit) => deleteChunks(options, request, visit)),
    hasChunks: answerUnary(edge, (request: HasChunksRequest, visit) => hasChunks(options.store, request, visit)),
    listChunks: answerStream(edge, (call: ServerWritableStream<ListChunksRequest, Buffer>, visit) =>
      listChunks(options, call, visit),
    ),
    getOwner: answerUnary(edge, (request: GetOwnerRequest) => getOwner(options.owners, request)),
    countLeft: answerUnary(edge, async () => countLeft(options.countLeft)),
  };
}
