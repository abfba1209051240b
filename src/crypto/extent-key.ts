import { randomBytes } from 'node:crypto';
import { derive, KEY_BYTES } from './kdf.js';
import { DERIVE } from './labels.js';

export const EXTENT_VERSION = 1;
/** Stored as it is; the only codec of this version. */
export const CODEC_STORED = 0;
export const COMMITMENT_BYTES = 32;
export const NONCE_BYTES = 12;
export const CIPHER = 'chacha20-poly1305';

export interface ExtentSecrets {
  readonly blockKey: Uint8Array;
  readonly commitment: Uint8Array;
}

/** A key for one extent. A second extent under the same key would repeat nonces. */
export function newExtentKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

/** Version and codec go into the derivation, so that an altered header opens nothing. */
export function extentSecrets(key: Uint8Array): ExtentSecrets {
  const context = Uint8Array.of(EXTENT_VERSION, CODEC_STORED);
  const secrets = derive(key, DERIVE.extent, { bytes: KEY_BYTES + COMMITMENT_BYTES, context });
  return { blockKey: secrets.subarray(0, KEY_BYTES), commitment: secrets.subarray(KEY_BYTES) };
}

/** Writes the nonce of a block: an 88-bit big-endian counter ‖ 1 for the last block, else 0. */
export function writeNonce(nonce: DataView, index: number, last: boolean): void {
  // An extent lies in one stripe (256 MiB at most), so its counter never leaves the low 32 of the 88 bits.
  nonce.setUint32(7, index);
  nonce.setUint8(11, last ? 1 : 0);
}
