import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, equalBytes, fromHex, u32, utf8 } from '../bytes.js';
import { assert } from '../errors.js';
import { derive, KEY_BYTES } from './kdf.js';
import type { DERIVE } from './labels.js';

const COMMITMENT_BYTES = 32;
const TAG_BYTES = 16;
const USER_ID_BYTES = 32;
const CIPHER = 'chacha20-poly1305';
/** The salt is fresh for every wrap, so each wrapping key seals one message, and one nonce is enough. */
const NONCE = new Uint8Array(12);

export const WRAP_SALT_BYTES = 16;
/** Commitment ‖ sealed root key ‖ tag. */
export const WRAP_SEALED_BYTES = COMMITMENT_BYTES + KEY_BYTES + TAG_BYTES;

/** What a wrap is bound to: it opens for no other user and as no other version. */
export interface WrapOwner {
  /** User id, lower-case hex of 32 bytes. */
  readonly user: string;
  /** Of the user document that brought the wrap, from 1. */
  readonly version: number;
}

/** What seals and opens one wrap. */
export interface WrapKeys {
  readonly aad: Uint8Array;
  readonly key: Uint8Array;
  readonly commitment: Uint8Array;
}

/** User id ‖ u32 version: fixed lengths, so that what follows stays unambiguous. */
export function ownerBinding(owner: WrapOwner): Uint8Array {
  const user = fromHex(owner.user, USER_ID_BYTES);
  assert(user !== undefined, 'a user id is 32 bytes of hex');
  assert(Number.isInteger(owner.version) && owner.version >= 1 && owner.version < 2 ** 32, 'a wrap version is a u32');
  return concatBytes(user, u32(owner.version));
}

/** @param context bound twice: by the derivation and by the associated data */
export function wrapKeys(
  secret: Uint8Array,
  label: typeof DERIVE.wrap | typeof DERIVE.kit,
  context: Uint8Array,
): WrapKeys {
  const keys = derive(secret, label, { bytes: KEY_BYTES + COMMITMENT_BYTES, context });
  return {
    aad: concatBytes(utf8(label), context),
    key: keys.subarray(0, KEY_BYTES),
    commitment: keys.subarray(KEY_BYTES),
  };
}

/** @returns commitment ‖ root key under ChaCha20-Poly1305 ‖ tag */
export function sealRootKey({ aad, key, commitment }: WrapKeys, rootKey: Uint8Array): Uint8Array {
  assert(rootKey.length === KEY_BYTES, `a root key of ${String(rootKey.length)} bytes`);
  const cipher = createCipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad, { plaintextLength: rootKey.length });
  const box = cipher.update(rootKey);
  cipher.final();
  return concatBytes(commitment, box, cipher.getAuthTag());
}

/** @param sealed WRAP_SEALED_BYTES @returns undefined when these are not the keys it was sealed with, or it was altered */
export function openRootKey({ aad, key, commitment }: WrapKeys, sealed: Uint8Array): Uint8Array | undefined {
  if (!equalBytes(commitment, sealed.subarray(0, COMMITMENT_BYTES))) return undefined;
  const tagAt = WRAP_SEALED_BYTES - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad, { plaintextLength: KEY_BYTES });
  decipher.setAuthTag(sealed.subarray(tagAt));
  const rootKey = decipher.update(sealed.subarray(COMMITMENT_BYTES, tagAt));
  try {
    decipher.final();
  } catch {
    // One answer for every way to be wrong: which one it was helps nobody but an attacker.
    return undefined;
  }
  return rootKey;
}
