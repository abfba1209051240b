import type { KeyObject } from 'node:crypto';
import type { SignaturePurpose } from '../crypto/labels.js';
import { userId } from '../crypto/root-key.js';
import { signEd25519, verifyEd25519 } from '../crypto/signature.js';
import { StorageError } from '../errors.js';
import { Signed } from '../gen/shoal/v1/format.js';
import { parseUserId, type UserId } from './ids.js';

/** A generated decoder of foreign bytes, and what bounds it. */
export interface BoundedDecoder<T> {
  /** In words a user knows: "label". */
  readonly what: string;
  readonly maxBytes: number;
  readonly decode: (bytes: Uint8Array) => T;
}

/** @throws StorageError LIMIT_EXCEEDED, CORRUPT */
export function decodeBounded<T>(decoder: BoundedDecoder<T>, bytes: Uint8Array): T {
  const { what, maxBytes, decode } = decoder;
  if (bytes.length > maxBytes) {
    throw new StorageError('LIMIT_EXCEEDED', `A ${what} has at most ${String(maxBytes)} bytes.`);
  }
  try {
    return decode(bytes);
  } catch (error) {
    // A wrong id or number (INVALID_ARGUMENT) inside foreign bytes is their damage, not an argument of ours.
    if (StorageError.is(error) && error.code !== 'INVALID_ARGUMENT') throw error;
    const why = StorageError.is(error) ? `: ${error.message}` : '.';
    throw new StorageError('CORRUPT', `A ${what} could not be read${why}`, { cause: error });
  }
}

/** Signs a body as a user. @returns an encoded shoal.v1.Signed */
export function sealSigned(
  purpose: SignaturePurpose,
  body: Uint8Array,
  by: { readonly privateKey: KeyObject; readonly publicKey: Uint8Array },
): Uint8Array {
  const signature = signEd25519(purpose, body, by.privateKey);
  return Signed.encode({ body, signature, publicKey: by.publicKey }).finish();
}

/**
 * Opens a shoal.v1.Signed whose body names its owner: decodes the body, checks the signature under the purpose's context,
 * and that the owner is the hash of the key that signed.
 *
 * @param body decodes the body, and bounds the whole
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED; PERMISSION_DENIED for a signature that is not the owner's
 */
export function openSigned<T extends { readonly owner: UserId }>(
  purpose: SignaturePurpose,
  body: BoundedDecoder<T>,
  bytes: Uint8Array,
): T {
  const { what, maxBytes } = body;
  const signed = decodeBounded({ what, maxBytes, decode: (input) => Signed.decode(input) }, bytes);
  if (!verifyEd25519(purpose, signed.body, signed)) {
    throw new StorageError('PERMISSION_DENIED', `The signature of this ${what} is wrong: it was altered or forged.`);
  }
  const opened = decodeBounded(body, signed.body);
  if (opened.owner !== parseUserId(userId(signed.publicKey))) {
    throw new StorageError('PERMISSION_DENIED', `This ${what} is signed by somebody who is not the owner it names.`);
  }
  return opened;
}
