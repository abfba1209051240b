import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { ChunkHeader, Receipt, SegmentSource, Stored } from '../chunk/chunk-store.js';
import { idBytes } from '../chunk/ids.js';
import { verifyReceipt } from '../chunk/receipt.js';
import { segmentCount, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import type { Stored as StoredMessage, StoreChunkResponse } from '../gen/shoal/v1/receiver.js';
import { CLOSE_GRACE_MS, MAX_RESEND_ROUNDS } from '../limits.js';
import type { CallLife } from './call-life.js';
import { encodeClose, encodeOpen } from './codec.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';
import { RECEIVER } from './methods.js';
import type { PeerChannel, Turn } from './peer-channel.js';

export interface OfferOptions {
  readonly signal: AbortSignal;
  readonly grant: Uint8Array;
}

/** The source's side of one StoreChunk stream. */
class Offer {
  readonly #channel: PeerChannel;
  readonly #call: ClientDuplexStream<Buffer, StoreChunkResponse>;
  readonly #life: CallLife;
  readonly #reader: MessageReader<StoreChunkResponse>;
  readonly #writer: MessageWriter;

  constructor(channel: PeerChannel, turn: Turn, signal: AbortSignal) {
    this.#channel = channel;
    this.#call = channel.duplex(RECEIVER.storeChunk, turn);
    this.#life = channel.follow(this.#call, signal);
    this.#reader = new MessageReader(this.#call, this.#life.signal, channel.idle);
    this.#writer = new MessageWriter(this.#call, this.#life.signal, channel.idle, channel.pool);
  }

  /** @returns the segments that the peer lacks, or undefined when it has the chunk stored */
  async open(header: ChunkHeader, grant: Uint8Array): Promise<number[] | undefined> {
    const { bytes, segmentBytes, hashes } = header;
    const shape = { bytes, segmentBytes, hashes };
    await this.#writer.write(
      encodeOpen({ chunk: idBytes(header.id), shape, owner: idBytes(header.owner), label: header.label, grant }),
    );
    const response = await this.#reader.next();
    if (response?.message?.$case !== 'have') throw this.#disorder('Have', response);
    const { bitmap, stored } = response.message.value;
    if (stored) return undefined;
    const missing: number[] = [];
    for (let index = 0; index < segmentCount(bytes, segmentBytes); index++) {
      if (((bitmap >>> index) & 1) === 0) missing.push(index);
    }
    return missing;
  }

  /** One round: the wanted segments and Close. */
  async send(source: SegmentSource, wanted: readonly number[]): Promise<void> {
    const iterator = source(wanted)[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (let position = 0; ; position++) {
        const step = await this.#pull(iterator);
        if (step.done === true) {
          ended = true;
          if (position < wanted.length) throw new StorageError('CORRUPT', 'The source of a chunk ended early.');
          break;
        }
        const { index } = step.value;
        if (index !== wanted[position]) {
          throw new StorageError('CORRUPT', `The source of a chunk yielded segment ${String(index)} unasked.`);
        }
        const wait = this.#writer.writeSegment(step.value);
        if (wait !== undefined) await wait;
      }
    } catch (error) {
      // A source that hangs in a step hangs in closing too, so nobody waits for it.
      if (!ended) iterator.return?.().catch(() => undefined);
      throw error;
    }
    await this.#writer.write(encodeClose());
  }

  async #pull(iterator: AsyncIterator<Segment>): Promise<IteratorResult<Segment, unknown>> {
    try {
      return await Promise.race([iterator.next(), this.#life.failed]);
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /**
   * The source broke, not the network: ends our side in order, so that what was sent arrives and is kept for the next
   * attempt, and the peer has let go of the chunk before that begins.
   */
  async #abandon(): Promise<void> {
    if (this.#life.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#life.close();
    }, CLOSE_GRACE_MS);
    try {
      this.#call.end();
      while ((await this.#reader.next()) !== undefined);
    } catch {
      // The peer says that the stream ended early, which is what it was told.
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the peer says to a round. @returns the segments to send again, or Stored */
  async verdict(sent: readonly number[]): Promise<readonly number[] | StoredMessage> {
    const response = await this.#reader.next();
    if (response?.message?.$case === 'stored') return response.message.value;
    if (response?.message?.$case !== 'resend') throw this.#disorder('Stored or Resend', response);
    const { indices } = response.message.value;
    const ascending = indices.every((index, i) => i === 0 || index > (indices[i - 1] ?? Infinity));
    if (indices.length > 0 && ascending && indices.every((index) => sent.includes(index))) return indices;
    throw new StorageError('CORRUPT', `${this.#channel.name} asked again for segments that it was not sent.`);
  }

  /** Ends the call in order and believes the receipt only when it is signed by this peer for this chunk. */
  async finish(header: ChunkHeader, message: StoredMessage): Promise<Receipt> {
    this.#call.end();
    const more = await this.#reader.next();
    if (more !== undefined) throw this.#disorder('the end', more);
    const receipt = { peer: this.#channel.peer.id, body: message.receipt, signature: message.signature };
    verifyReceipt(receipt, this.#channel.publicKey, { chunk: header.id, owner: header.owner, bytes: header.bytes });
    return receipt;
  }

  close(): void {
    this.#life.close();
  }

  #disorder(expected: string, got: StoreChunkResponse | undefined): StorageError {
    const seen = got === undefined ? 'ended the call' : `sent ${got.message?.$case ?? 'a message of no known kind'}`;
    return new StorageError('CORRUPT', `${this.#channel.name} ${seen} where StoreChunk expects ${expected}.`);
  }
}

/**
 * Offers a chunk to a peer and sends what it lacks, and again what arrived corrupt, until it has signed for the chunk.
 *
 * @throws StorageError whatever the peer refuses with; CORRUPT when it breaks the order; PERMISSION_DENIED for a receipt
 * that is not its own for this chunk; TIMEOUT when nothing moves
 */
export async function offerChunk(
  channel: PeerChannel,
  header: ChunkHeader,
  source: SegmentSource,
  options: OfferOptions,
): Promise<Stored> {
  const turn = await channel.begin(options.signal);
  const offer = new Offer(channel, turn, options.signal);
  try {
    const missing = await offer.open(header, options.grant);
    let wanted: readonly number[] = missing ?? [];
    for (let round = 0; ; round++) {
      if (missing !== undefined) await offer.send(source, wanted);
      const verdict = await offer.verdict(wanted);
      if ('receipt' in verdict) {
        const receipt = await offer.finish(header, verdict);
        return { existed: missing === undefined, resent: verdict.resent, receipt };
      }
      if (round === MAX_RESEND_ROUNDS) {
        throw new StorageError('CORRUPT', `${channel.name} never received segment ${String(verdict[0])} intact.`);
      }
      wanted = verdict;
    }
  } finally {
    offer.close();
  }
}
