import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ChunkStore, ChunkSummary } from '../chunk/chunk-store.js';
import { idBytes, parseChunkId, parseUserId, type ChunkId, type UserId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { ChunkSummary as SummaryMessage, type ListChunksRequest } from '../gen/shoal/v1/receiver.js';
import { INVENTORY_PAGE_TIMEOUT_MS, MAX_INVENTORY_PAGE, MAX_LABEL_BYTES } from '../limits.js';
import { timeLimit, type TimeLimit } from '../time-limit.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';
import { RECEIVER } from './methods.js';
import type { PeerChannel } from './peer-channel.js';
import type { Permissions } from './permissions.js';
import type { Visit } from './server-call.js';

/** Messages are encoded before they are queued: see codec.ts. */
function encodeSummary({ id, owner, bytes, label }: ChunkSummary): Buffer {
  return Buffer.from(SummaryMessage.encode({ chunk: idBytes(id), bytes, owner: idBytes(owner), label }).finish());
}

/** The server's side: one page. */
export async function listChunks(
  { store, permissions }: { readonly store: ChunkStore; readonly permissions: Permissions },
  call: ServerWritableStream<ListChunksRequest, Buffer>,
  { caller, signal, idle, pool }: Visit,
): Promise<void> {
  const { order, after, limit } = call.request;
  const owner = permissions.checkList(order, caller);
  const behind = after.length === 0 ? {} : { after: parseChunkId(after) };
  let left = Math.min(Math.max(limit, 1), MAX_INVENTORY_PAGE);
  const writer = new MessageWriter(call, signal, idle, pool);
  for await (const summary of store.list({ signal, owner, ...behind })) {
    const wait = writer.write(encodeSummary(summary));
    if (wait !== undefined) await wait;
    if (--left === 0) return;
  }
}

export interface AskedPage {
  readonly owner: UserId;
  /** Signed by the owner for both peers. */
  readonly order: Uint8Array;
  readonly after: ChunkId | undefined;
}

/**
 * The client's side: MAX_INVENTORY_PAGE chunks, or fewer at the end. They are in ascending order, none twice, and said to be
 * the owner's; whether the labels hold, and whether the peer has the chunks at all, is for the caller to find out.
 *
 * @throws StorageError CORRUPT for anything else; TIMEOUT for a page that is not whole in time
 */
export async function fetchPage(channel: PeerChannel, asked: AskedPage, signal: AbortSignal): Promise<ChunkSummary[]> {
  const { owner, order, after } = asked;
  const turn = await channel.begin(signal);
  const behind = after === undefined ? new Uint8Array() : idBytes(after);
  using late = deadline(channel, signal);
  const request = { order, after: behind, limit: MAX_INVENTORY_PAGE };
  const call = channel.readable(RECEIVER.listChunks, request, turn);
  const life = channel.follow(call, late.signal);
  try {
    const reader = new MessageReader<SummaryMessage>(call, life.signal, channel.idle);
    const page: ChunkSummary[] = [];
    for (let last = after; ;) {
      const message = await reader.next();
      if (message === undefined) return page;
      if (page.length === MAX_INVENTORY_PAGE) throw corrupt(channel, 'a longer list of chunks than it was asked for');
      const summary = readSummary(channel, message);
      if (summary.owner !== owner) throw corrupt(channel, "another owner's chunk");
      if (last !== undefined && summary.id <= last) throw corrupt(channel, 'a list of chunks in the wrong order');
      last = summary.id;
      page.push(summary);
    }
  } finally {
    life.close();
  }
}

/** The idle time-out alone would let a peer that drips one chunk at a time hold its caller for ever. */
function deadline({ name }: PeerChannel, signal: AbortSignal): TimeLimit {
  const within = String(INVENTORY_PAGE_TIMEOUT_MS);
  const late = (): StorageError => new StorageError('TIMEOUT', `${name} did not list its chunks within ${within} ms.`);
  return timeLimit(INVENTORY_PAGE_TIMEOUT_MS, signal, late);
}

function readSummary(channel: PeerChannel, { chunk, bytes, owner, label }: SummaryMessage): ChunkSummary {
  if (label.length > MAX_LABEL_BYTES) throw corrupt(channel, `a label of ${String(label.length)} bytes`);
  try {
    // A copy: the label would keep its message in memory whole.
    return { id: parseChunkId(chunk), bytes, owner: parseUserId(owner), label: Uint8Array.from(label) };
  } catch (error) {
    throw corrupt(channel, 'an answer that could not be read', error);
  }
}

function corrupt(channel: PeerChannel, what: string, cause?: unknown): StorageError {
  return new StorageError('CORRUPT', `${channel.name} sent ${what}.`, { cause });
}
