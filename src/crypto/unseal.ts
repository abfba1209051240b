import { createDecipheriv } from 'node:crypto';
import { equalBytes } from '../bytes.js';
import { assert, StorageError } from '../errors.js';
import { CIPHER, CODEC_STORED, EXTENT_VERSION, extentSecrets, NONCE_BYTES, writeNonce } from './extent-key.js';
import {
  blockBytes,
  blockCount,
  EXTENT_HEADER_BYTES,
  MIN_SEALED_BYTES,
  plainBytes,
  SEALED_BLOCK_BYTES,
  type SealedRange,
  TAG_BYTES,
} from './extent-layout.js';

const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** One message for every way to be wrong: telling them apart would help nobody but an attacker. */
function corrupt(cause?: unknown): StorageError {
  const message = 'Sealed data does not open: it was altered, cut, reordered, or sealed under another key.';
  return new StorageError('CORRUPT', message, cause === undefined ? undefined : { cause });
}

class BlockOpener {
  readonly #blockKey: Uint8Array;
  readonly #total: number;
  readonly #blocks: number;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #nonceView = new DataView(this.#nonce.buffer);

  constructor(blockKey: Uint8Array, total: number) {
    this.#blockKey = blockKey;
    this.#total = total;
    this.#blocks = blockCount(total);
  }

  sealedBlockBytes(index: number): number {
    return blockBytes(index, this.#total) + TAG_BYTES;
  }

  /** @param sealed exactly the sealed block `index` */
  open(sealed: Uint8Array, index: number): Buffer {
    writeNonce(this.#nonceView, index, index === this.#blocks - 1);
    const tagAt = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#blockKey, this.#nonce, CIPHER_OPTIONS);
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plaintext = decipher.update(sealed.subarray(0, tagAt));
    try {
      decipher.final();
    } catch (error) {
      throw corrupt(error);
    }
    return plaintext;
  }

  /** @param sealed whole blocks from `first` on */
  *openAll(sealed: Uint8Array, first: number): Generator<Buffer, void, undefined> {
    let offset = 0;
    for (let index = first; offset < sealed.length; index++) {
      if (index >= this.#blocks) throw corrupt();
      const end = offset + this.sealedBlockBytes(index);
      if (end > sealed.length) throw corrupt();
      yield this.open(sealed.subarray(offset, end), index);
      offset = end;
    }
  }
}

/** @throws StorageError UNSUPPORTED for a version or codec from the future, CORRUPT when `key` is not this extent's */
function openHeader(key: Uint8Array, header: Uint8Array): Uint8Array {
  const [version, codec] = header;
  if (version !== EXTENT_VERSION || codec !== CODEC_STORED) {
    throw new StorageError(
      'UNSUPPORTED',
      `This data is sealed in format ${String(version)}, codec ${String(codec)}; this version of Shoal reads format 1, codec 0. Upgrade Shoal on this machine.`,
    );
  }
  const { blockKey, commitment } = extentSecrets(key);
  if (!equalBytes(commitment, header.subarray(2, EXTENT_HEADER_BYTES))) throw corrupt();
  return blockKey;
}

/**
 * Opens a whole extent, header and all, one block at a step. Every block that is yielded is authentic and in its place;
 * that the extent is complete is known when the generator ends. The blocks are the caller's to keep.
 *
 * @throws StorageError CORRUPT, UNSUPPORTED
 */
export function* unsealExtent(key: Uint8Array, sealed: Uint8Array): Generator<Buffer, void, undefined> {
  if (sealed.length < MIN_SEALED_BYTES) throw corrupt();
  const blockKey = openHeader(key, sealed.subarray(0, EXTENT_HEADER_BYTES));
  const opener = new BlockOpener(blockKey, plainBytes(sealed.length));
  yield* opener.openAll(sealed.subarray(EXTENT_HEADER_BYTES), 0);
}

/**
 * Opens a range of an extent without its header: version, codec and length come from the signed manifest.
 *
 * @param sealed the bytes [range.start, range.end) of the sealed extent
 * @returns exactly the plaintext of the range, in pieces
 * @throws StorageError CORRUPT
 */
export function* unsealRange(
  key: Uint8Array,
  sealed: Uint8Array,
  range: SealedRange,
): Generator<Buffer, void, undefined> {
  if (sealed.length !== range.end - range.start) throw corrupt();
  const opener = new BlockOpener(extentSecrets(key).blockKey, range.total);
  let { skip, bytes } = range;
  for (const block of opener.openAll(sealed, range.firstBlock)) {
    const wanted = block.subarray(skip, skip + bytes);
    skip = 0;
    bytes -= wanted.length;
    yield wanted;
  }
}

/**
 * Opens a whole extent from pieces of any size, as they arrive. What it returns is authentic and in its place; the extent
 * is complete when `end` returns.
 */
export class ExtentUnsealer {
  readonly #key: Uint8Array;
  readonly #total: number;
  readonly #held = Buffer.allocUnsafe(SEALED_BLOCK_BYTES);
  #heldBytes = 0;
  #opener: BlockOpener | undefined;
  #block = 0;

  /** @param total plaintext bytes of the extent, from the signed manifest */
  constructor(key: Uint8Array, total: number) {
    assert(Number.isSafeInteger(total) && total > 0, `an extent of ${String(total)} bytes`);
    this.#key = key;
    this.#total = total;
  }

  /**
   * Takes the next sealed bytes; `piece` is the caller's again when this returns.
   *
   * @returns the blocks that became whole
   * @throws StorageError CORRUPT, UNSUPPORTED; the unsealer is of no use after it
   */
  push(piece: Uint8Array): Buffer[] {
    const blocks: Buffer[] = [];
    let rest = piece;
    while (rest.length > 0) {
      const need = this.#needed();
      const taken = Math.min(need - this.#heldBytes, rest.length);
      const whole =
        this.#heldBytes === 0 && taken === need ? rest.subarray(0, need) : this.#hold(rest.subarray(0, taken));
      rest = rest.subarray(taken);
      if (whole.length < need) break;
      this.#heldBytes = 0;
      this.#take(whole, blocks);
    }
    return blocks;
  }

  /** @throws StorageError CORRUPT when the extent is not complete */
  end(): void {
    if (this.#opener === undefined || this.#block !== blockCount(this.#total)) throw corrupt();
  }

  /** Length of what comes next: the header, or a sealed block. */
  #needed(): number {
    if (this.#opener === undefined) return EXTENT_HEADER_BYTES;
    if (this.#block === blockCount(this.#total)) throw corrupt();
    return this.#opener.sealedBlockBytes(this.#block);
  }

  #hold(bytes: Uint8Array): Uint8Array {
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
    return this.#held.subarray(0, this.#heldBytes);
  }

  #take(whole: Uint8Array, blocks: Buffer[]): void {
    if (this.#opener === undefined) this.#opener = new BlockOpener(openHeader(this.#key, whole), this.#total);
    else blocks.push(this.#opener.open(whole, this.#block++));
  }
}
