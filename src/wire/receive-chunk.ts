import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { ChunkHeader, Stored } from '../chunk/chunk-store.js';
import { parseChunkId, parseUserId } from '../chunk/ids.js';
import { verifyShape, type Segment } from '../chunk/segments.js';
import type { Counts } from '../counts.js';
import { StorageError } from '../errors.js';
import type { OpenChunk, StoreChunkRequest } from '../gen/shoal/v1/receiver.js';
import { MAX_GRANT_BYTES, MAX_LABEL_BYTES } from '../limits.js';
import { encodeHave, encodeResend, encodeStored } from './codec.js';
import type { FileReceiverOptions } from './file-receiver.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';
import type { Visit } from './server-call.js';
import { shapeOf } from './shape.js';

/** Every segment that a chunk can have: 32 bits. */
const ALL_SEGMENTS = 0xffffffff;

function headerOf(open: OpenChunk): ChunkHeader {
  if (open.label.length > MAX_LABEL_BYTES) throw new StorageError('LIMIT_EXCEEDED', 'The label is too long.');
  if (open.grant.length > MAX_GRANT_BYTES) throw new StorageError('LIMIT_EXCEEDED', 'The grant is too long.');
  const { bytes, segmentBytes, hashes } = shapeOf(open.shape);
  const id = parseChunkId(open.chunk);
  verifyShape(id, { bytes, segmentBytes, hashes });
  return { id, owner: parseUserId(open.owner), label: open.label, bytes, segmentBytes, hashes };
}

function disorder(expected: string, got: StoreChunkRequest | undefined): StorageError {
  const seen = got === undefined ? 'the end of the stream' : (got.message?.$case ?? 'a message of no known kind');
  return new StorageError('INVALID_ARGUMENT', `StoreChunk expected ${expected} and got ${seen}.`);
}

/** The target's side of one StoreChunk stream: turns its messages into the SegmentSource of a put. */
class Reception {
  readonly #reader: MessageReader<StoreChunkRequest>;
  readonly #writer: MessageWriter;
  readonly #counts: Counts;
  #rounds = 0;

  constructor(call: ServerDuplexStream<StoreChunkRequest, Buffer>, { signal, idle, pool, counts }: Visit) {
    this.#counts = counts;
    this.#reader = new MessageReader(call, signal, idle);
    this.#writer = new MessageWriter(call, signal, idle, pool);
  }

  async open(): Promise<OpenChunk> {
    const request = await this.#reader.next();
    if (request?.message?.$case !== 'open') throw disorder('Open', request);
    return request.message.value;
  }

  /** A SegmentSource. Its first round is announced by Have, the later ones by Resend. */
  async *segments(missing: readonly number[]): AsyncGenerator<Segment> {
    this.#rounds++;
    await this.#writer.write(this.#rounds === 1 ? encodeHave(bitmapWithout(missing), false) : encodeResend(missing));
    for (const index of missing) {
      const request = await this.#reader.next();
      if (request?.message?.$case !== 'segment') throw disorder(`segment ${String(index)}`, request);
      const segment = request.message.value;
      if (segment.index !== index) {
        throw new StorageError(
          'INVALID_ARGUMENT',
          `StoreChunk expected segment ${String(index)} and got segment ${String(segment.index)}.`,
        );
      }
      this.#counts.receivedBytes += segment.bytes.length;
      yield segment;
    }
    const close = await this.#reader.next();
    if (close?.message?.$case !== 'close') throw disorder('Close', close);
  }

  async finish(stored: Stored, receipt: { readonly body: Uint8Array; readonly signature: Uint8Array }): Promise<void> {
    if (this.#rounds === 0) await this.#writer.write(encodeHave(ALL_SEGMENTS, true));
    await this.#writer.write(
      encodeStored({ receipt: receipt.body, signature: receipt.signature, resent: stored.resent }),
    );
  }
}

function bitmapWithout(missing: readonly number[]): number {
  let bitmap = ALL_SEGMENTS;
  for (const index of missing) bitmap &= ~(1 << index);
  return bitmap >>> 0;
}

/**
 * StoreChunk: Open, Have, segments, Close, perhaps Resend and more of both, Stored. The receipt is signed only after the
 * store has promised that the chunk would survive a power cut.
 */
export async function receiveChunk(
  options: FileReceiverOptions,
  call: ServerDuplexStream<StoreChunkRequest, Buffer>,
  visit: Visit,
): Promise<void> {
  const reception = new Reception(call, visit);
  const open = await reception.open();
  const header = headerOf(open);
  options.permissions.checkPut(header, open.grant, visit.caller);
  const stored = await options.store.put(header, (missing) => reception.segments(missing), {
    signal: visit.signal,
    grant: open.grant,
  });
  await reception.finish(stored, options.signReceipt(header));
}
