import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ChunkStore } from '../chunk/chunk-store.js';
import { parseChunkId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type {
  AskHomeRequest,
  AuditChunkRequest,
  AuditChunkResponse,
  SendChunkRequest,
} from '../gen/shoal/v1/sender.js';
import { MAX_SEGMENTS } from '../limits.js';
import { answerHome, type HomeLookup } from './ask-home.js';
import { encodeFound } from './codec.js';
import { MessageWriter } from './message-writer.js';
import type { Permissions } from './permissions.js';
import { shapeMessage } from './shape.js';
import { answerStream, answerUnary, type Edge, type Visit } from './server-call.js';

export interface FileSenderOptions {
  readonly store: Pick<ChunkStore, 'get'>;
  readonly permissions: Pick<Permissions, 'checkList'>;
  /** Absent: AskHome answers UNSUPPORTED. */
  readonly home?: HomeLookup;
}

/** SendChunk: Found, then the asked segments. The store is read no faster than the network takes the bytes. */
async function sendChunk(
  options: FileSenderOptions,
  call: ServerWritableStream<SendChunkRequest, Buffer>,
  { signal, idle, pool, counts }: Visit,
): Promise<void> {
  const { chunk, segments } = call.request;
  if (segments.length > MAX_SEGMENTS) {
    throw new StorageError('LIMIT_EXCEEDED', `A chunk has at most ${String(MAX_SEGMENTS)} segments.`);
  }
  const stored = await options.store.get(
    parseChunkId(chunk),
    segments.length === 0 ? { signal } : { signal, segments },
  );
  const writer = new MessageWriter(call, signal, idle, pool);
  await writer.write(encodeFound({ shape: shapeMessage(stored.shape), label: stored.label }));
  for await (const segment of stored.segments) {
    counts.sentBytes += segment.bytes.length;
    const wait = writer.writeSegment(segment);
    if (wait !== undefined) await wait;
  }
}

async function auditChunk(
  { store }: FileSenderOptions,
  request: AuditChunkRequest,
  { signal }: Visit,
): Promise<AuditChunkResponse> {
  const stored = await store.get(parseChunkId(request.chunk), { signal, segments: [request.segment] });
  for await (const segment of stored.segments) {
    // A copy: the bytes belong to the store again when the iteration goes on.
    const { index, bytes } = segment;
    return { shape: shapeMessage(stored.shape), segment: { index, bytes: Uint8Array.from(bytes) } };
  }
  throw new StorageError('CORRUPT', 'The audited segment could not be read.');
}

/** The handlers of shoal.v1.FileSender over a store (proto/shoal/v1/sender.proto). */
export function fileSender(options: FileSenderOptions, edge: Edge): UntypedServiceImplementation {
  return {
    sendChunk: answerStream(edge, (call: ServerWritableStream<SendChunkRequest, Buffer>, visit) =>
      sendChunk(options, call, visit),
    ),
    auditChunk: answerUnary(edge, (request: AuditChunkRequest, visit) => auditChunk(options, request, visit)),
    askHome: answerUnary(edge, (request: AskHomeRequest, visit) => answerHome(options, request, visit)),
  };
}
