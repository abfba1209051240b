import { concatBytes, fromHex, u32 } from '../bytes.js';
import { assert } from '../errors.js';
import { sealDocument, unsealDocument } from './document-seal.js';
import { derive } from './kdf.js';
import { DERIVE } from './labels.js';

const USER_ID_BYTES = 32;

/** An older root key, sealed under a newer one: what was sealed under it can still be opened. */
export interface FormerKey {
  /** From 1. */
  readonly generation: number;
  /** Salt (32) ‖ root key under ChaCha20-Poly1305 (32) ‖ tag (16). */
  readonly sealed: Uint8Array;
}

/** User id ‖ u32 generation: a former key opens for no other user, and not in another's place. */
function binding(user: string, generation: number): Uint8Array {
  const bytes = fromHex(user, USER_ID_BYTES);
  assert(bytes !== undefined, 'a user id is 32 bytes of hex');
  return concatBytes(bytes, u32(generation));
}

/** @param former root keys of the generations 1, 2, …, in order */
export function sealFormerKeys(user: string, former: readonly Uint8Array[], rootKey: Uint8Array): FormerKey[] {
  const key = derive(rootKey, DERIVE.former);
  return former.map((secret, index) => {
    const generation = index + 1;
    return { generation, sealed: sealDocument(key, binding(user, generation), secret) };
  });
}

/** @returns the older root keys, in order @throws StorageError CORRUPT for one that was altered or is in another's place */
export function openFormerKeys(user: string, former: readonly FormerKey[], rootKey: Uint8Array): Uint8Array[] {
  const key = derive(rootKey, DERIVE.former);
  return former.map(({ sealed }, index) => unsealDocument(key, binding(user, index + 1), sealed));
}
