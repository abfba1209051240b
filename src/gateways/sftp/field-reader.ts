import { StorageError } from '../../errors.js';

/** Without replacing what is no UTF-8: another name than the client's would be written to. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whoever sent this cannot be understood. It ends the channel, and does not leave this folder. */
export class BadPacket extends Error {
  override readonly name = 'BadPacket';
}

/** Reads the fields of a packet in order. @throws BadPacket when they do not fit */
export class FieldReader {
  readonly #packet: Buffer;
  #at: number;

  constructor(packet: Buffer, start: number) {
    this.#packet = packet;
    this.#at = start;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#packet.length;
  }

  uint32(): number {
    return this.#packet.readUInt32BE(this.#take(4));
  }

  /** @throws StorageError INVALID_ARGUMENT for one that JavaScript cannot count to, and no file reaches */
  uint64(): number {
    const value = this.#packet.readBigUInt64BE(this.#take(8));
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new StorageError('INVALID_ARGUMENT', 'No file is as long as that.');
  }

  bytes(): Buffer {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#packet.subarray(start, start + length);
  }

  /** @throws StorageError INVALID_ARGUMENT for what is no UTF-8 */
  text(): string {
    const bytes = this.bytes();
    try {
      return UTF8.decode(bytes);
    } catch (error) {
      throw new StorageError('INVALID_ARGUMENT', 'Names are in UTF-8, and this one is not. Rename it first.', {
        cause: error,
      });
    }
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#packet.length) throw new BadPacket('A packet is shorter than it says.');
    this.#at = start + length;
    return start;
  }
}
