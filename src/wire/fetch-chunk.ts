import type { ClientReadableStream } from '@grpc/grpc-js';
import type { GetOptions, StoredChunk } from '../chunk/chunk-store.js';
import { idBytes, type ChunkId } from '../chunk/ids.js';
import { segmentCount, segmentRange, verifyShape, type ChunkShape, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import type { SendChunkResponse } from '../gen/shoal/v1/sender.js';
import { MAX_LABEL_BYTES } from '../limits.js';
import type { CallLife } from './call-life.js';
import { MessageReader } from './message-reader.js';
import { SENDER } from './methods.js';
import type { PeerChannel } from './peer-channel.js';
import { shapeOf } from './shape.js';

function checkAsked(asked: readonly number[] | undefined): void {
  const wrong = asked?.some((index, i) => !Number.isInteger(index) || index < 0 || index <= (asked[i - 1] ?? -1));
  if (wrong === true) {
    throw new StorageError('INVALID_ARGUMENT', 'Segments are asked for in ascending order, each once.');
  }
}

/** The asked segments of one SendChunk stream; a peer that sends anything else is CORRUPT. */
class FetchedSegments implements AsyncIterableIterator<Segment> {
  readonly #reader: MessageReader<SendChunkResponse>;
  readonly #life: CallLife;
  readonly #shape: ChunkShape;
  readonly #asked: readonly number[];
  readonly #peer: string;
  #position = 0;

  constructor(
    stream: { readonly reader: MessageReader<SendChunkResponse>; readonly life: CallLife },
    shape: ChunkShape,
    asked: readonly number[],
    peer: string,
  ) {
    this.#reader = stream.reader;
    this.#life = stream.life;
    this.#shape = shape;
    this.#asked = asked;
    this.#peer = peer;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Segment, undefined>> {
    if (this.#position > this.#asked.length) return { done: true, value: undefined };
    try {
      const response = await this.#reader.next();
      const index = this.#asked[this.#position];
      this.#position++;
      if (index === undefined && response === undefined) {
        this.#life.close();
        return { done: true, value: undefined };
      }
      return { done: false, value: this.#check(index, response) };
    } catch (error) {
      void this.return();
      throw error;
    }
  }

  return(): Promise<IteratorResult<Segment, undefined>> {
    this.#position = Infinity;
    this.#life.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #check(index: number | undefined, response: SendChunkResponse | undefined): Segment {
    if (index === undefined) throw this.#corrupt('more than it was asked for');
    if (response === undefined) throw this.#corrupt('less than it was asked for');
    if (response.message?.$case !== 'segment') throw this.#corrupt('something that is no segment');
    const segment = response.message.value;
    if (segment.index !== index) throw this.#corrupt(`segment ${String(segment.index)} instead of ${String(index)}`);
    const [start, end] = segmentRange(this.#shape.bytes, index, this.#shape.segmentBytes);
    if (segment.bytes.length !== end - start) throw this.#corrupt(`segment ${String(index)} with the wrong length`);
    return segment;
  }

  #corrupt(what: string): StorageError {
    return new StorageError('CORRUPT', `${this.#peer} sent ${what}.`);
  }
}

async function readFound(
  channel: PeerChannel,
  id: ChunkId,
  reader: MessageReader<SendChunkResponse>,
): Promise<{ readonly shape: ChunkShape; readonly label: Uint8Array }> {
  const response = await reader.next();
  if (response?.message?.$case !== 'header') {
    throw new StorageError('CORRUPT', `${channel.name} sent something else before the header of a chunk.`);
  }
  const { shape: message, label } = response.message.value;
  const shape = shapeOf(message);
  verifyShape(id, shape);
  if (label.length > MAX_LABEL_BYTES) {
    throw new StorageError('CORRUPT', `${channel.name} sent a label of ${String(label.length)} bytes.`);
  }
  return { shape, label };
}

/**
 * Asks a peer for a chunk, whole or some of its segments. The bytes are not verified against the hash list, only counted.
 * The segments must be iterated or closed, or the signal be aborted; else the stream stays open.
 */
export async function fetchChunk(channel: PeerChannel, id: ChunkId, options: GetOptions): Promise<StoredChunk> {
  checkAsked(options.segments);
  const turn = await channel.begin(options.signal);
  const request = { chunk: idBytes(id), segments: [...(options.segments ?? [])] };
  const call: ClientReadableStream<SendChunkResponse> = channel.readable(SENDER.sendChunk, request, turn);
  const life = channel.follow(call, options.signal);
  try {
    const reader = new MessageReader<SendChunkResponse>(call, life.signal, channel.idle);
    const { shape, label } = await readFound(channel, id, reader);
    const asked = options.segments ?? [...Array(segmentCount(shape.bytes, shape.segmentBytes)).keys()];
    return { shape, label, segments: new FetchedSegments({ reader, life }, shape, asked, channel.name) };
  } catch (error) {
    life.close();
    throw error;
  }
}
