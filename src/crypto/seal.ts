import { createCipheriv } from 'node:crypto';
import { assert } from '../errors.js';
import { BLOCK_BYTES } from '../limits.js';
import { CIPHER, CODEC_STORED, EXTENT_VERSION, extentSecrets, NONCE_BYTES, writeNonce } from './extent-key.js';
import { EXTENT_HEADER_BYTES, TAG_BYTES } from './extent-layout.js';

export { newExtentKey } from './extent-key.js';
export {
  EXTENT_HEADER_BYTES,
  maxPlainBytes,
  plainBytes,
  sealedBytes,
  sealedRange,
  type SealedRange,
} from './extent-layout.js';
export { ExtentUnsealer, unsealExtent, unsealRange } from './unseal.js';

const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** Writes header and sealed blocks one after the other into the caller's buffer. */
class BlockSealer {
  readonly #blockKey: Uint8Array;
  readonly #out: Uint8Array;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #nonceView = new DataView(this.#nonce.buffer);
  #block = 0;
  #written = EXTENT_HEADER_BYTES;

  constructor(key: Uint8Array, out: Uint8Array) {
    assert(out.length >= EXTENT_HEADER_BYTES, 'no room for the header of an extent');
    const { blockKey, commitment } = extentSecrets(key);
    this.#blockKey = blockKey;
    this.#out = out;
    out[0] = EXTENT_VERSION;
    out[1] = CODEC_STORED;
    out.set(commitment, EXTENT_HEADER_BYTES - commitment.length);
  }

  get written(): number {
    return this.#written;
  }

  seal(block: Uint8Array, last: boolean): void {
    assert(this.#out.length - this.#written >= block.length + TAG_BYTES, 'no room for a sealed block');
    writeNonce(this.#nonceView, this.#block, last);
    const cipher = createCipheriv(CIPHER, this.#blockKey, this.#nonce, CIPHER_OPTIONS);
    // Node's cipher always allocates its output, so this one copy (0.04 CPU-s per GiB) cannot be saved.
    this.#out.set(cipher.update(block), this.#written);
    cipher.final();
    this.#out.set(cipher.getAuthTag(), this.#written + block.length);
    this.#written += block.length + TAG_BYTES;
    this.#block++;
  }
}

/** Seals all of `bytes` but its last 1 … BLOCK_BYTES bytes, which it returns: only the last block carries the last flag. */
function sealAllButLast(sealer: BlockSealer, bytes: Uint8Array): Uint8Array {
  let offset = 0;
  for (; bytes.length - offset > BLOCK_BYTES; offset += BLOCK_BYTES) {
    sealer.seal(bytes.subarray(offset, offset + BLOCK_BYTES), false);
  }
  return bytes.subarray(offset);
}

/**
 * Seals one extent into the caller's buffer from pieces of any size, as they come. The STREAM construction (Hoang,
 * Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), with the
 * nonces that age uses. docs/spec/1-sealing.md
 */
export class ExtentSealer {
  readonly #sealer: BlockSealer;
  /** A block is sealed when a byte after it is known to exist. */
  readonly #held = Buffer.allocUnsafe(BLOCK_BYTES);
  #heldBytes = 0;
  #ended = false;

  /**
   * @param key 32 fresh random bytes, for this extent alone
   * @param out has room for sealedBytes(plaintext); may be a view of wasm memory, as long as that does not grow meanwhile
   */
  constructor(key: Uint8Array, out: Uint8Array) {
    this.#sealer = new BlockSealer(key, out);
  }

  /** Sealed bytes that are in `out` by now: the header and every block whose successor has begun. */
  get written(): number {
    return this.#sealer.written;
  }

  /** Takes the next plaintext; `piece` is the caller's again when this returns. */
  push(piece: Uint8Array): void {
    assert(!this.#ended, 'push after end');
    let rest = piece;
    if (this.#heldBytes > 0) {
      const taken = Math.min(BLOCK_BYTES - this.#heldBytes, piece.length);
      this.#hold(piece.subarray(0, taken));
      rest = piece.subarray(taken);
      if (rest.length === 0) return;
      this.#sealer.seal(this.#held, false);
      this.#heldBytes = 0;
    }
    this.#hold(sealAllButLast(this.#sealer, rest));
  }

  /** Seals the last block. @returns the length of the sealed extent */
  end(): number {
    assert(!this.#ended && this.#heldBytes > 0, 'an extent has at least one byte, and one end');
    this.#ended = true;
    this.#sealer.seal(this.#held.subarray(0, this.#heldBytes), true);
    return this.written;
  }

  #hold(bytes: Uint8Array): void {
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
  }
}

/**
 * Seals a whole extent.
 *
 * @param key 32 fresh random bytes, for this extent alone
 * @param plaintext at least one byte; pieces are joined
 * @returns the length of the sealed extent in `out`
 */
export function sealExtentInto(
  key: Uint8Array,
  plaintext: Uint8Array | readonly Uint8Array[],
  out: Uint8Array,
): number {
  if (!(plaintext instanceof Uint8Array)) {
    const sealer = new ExtentSealer(key, out);
    for (const piece of plaintext) sealer.push(piece);
    return sealer.end();
  }
  assert(plaintext.length > 0, 'an extent has at least one byte');
  const sealer = new BlockSealer(key, out);
  sealer.seal(sealAllButLast(sealer, plaintext), true);
  return sealer.written;
}
