import type { SignaturePurpose } from '../crypto/labels.js';
import { userId } from '../crypto/root-key.js';
import { signEd25519, verifyEd25519 } from '../crypto/signature.js';
import { followLinks, generationOf, type Signer } from '../crypto/succession.js';
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

/** Which of an owner's keys signed. */
export interface SignedBy {
  /** Of the signing key, from 1. */
  readonly generation: number;
}

/** Signs a body as a user. @returns an encoded shoal.v1.Signed */
export function sealSigned(purpose: SignaturePurpose, body: Uint8Array, by: Signer): Uint8Array {
  const signature = signEd25519(purpose, body, by.privateKey);
  return Signed.encode({ body, signature, publicKey: by.publicKey, links: [...(by.links ?? [])] }).finish();
}

/** A shoal.v1.Signed whose signature and links are right; its body is still bytes. */
export interface VerifiedSigned extends SignedBy {
  readonly body: Uint8Array;
  /** The owner's first signing key. */
  readonly publicKey: Uint8Array;
  readonly links: Signed['links'];
}

/**
 * Checks the links and the signature, under the purpose's context.
 *
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, PERMISSION_DENIED
 */
export function verifySigned(
  purpose: SignaturePurpose,
  { what, maxBytes }: Pick<BoundedDecoder<unknown>, 'what' | 'maxBytes'>,
  bytes: Uint8Array,
): VerifiedSigned {
  const signed = decodeBounded({ what, maxBytes, decode: (input) => Signed.decode(input) }, bytes);
  const { body, signature, publicKey, links } = signed;
  if (!verifyEd25519(purpose, body, { signature, publicKey: followLinks(publicKey, links) })) {
    throw new StorageError('PERMISSION_DENIED', `The signature of this ${what} is wrong: it was altered or forged.`);
  }
  return { body, publicKey, links, generation: generationOf(links) };
}

/**
 * Opens a shoal.v1.Signed whose body names its owner: decodes the body, checks the signature under the purpose's context,
 * and that the owner is the hash of the first key of the chain that signed.
 *
 * @param body decodes the body, and bounds the whole
 * @returns the body, and the generation of the key that signed it
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED; PERMISSION_DENIED for a signature that is not the owner's
 */
export function openSigned<T extends { readonly owner: UserId }>(
  purpose: SignaturePurpose,
  body: BoundedDecoder<T>,
  bytes: Uint8Array,
): T & SignedBy {
  const signed = verifySigned(purpose, body, bytes);
  const opened = decodeBounded(body, signed.body);
  if (opened.owner !== parseUserId(userId(signed.publicKey))) {
    throw new StorageError(
      'PERMISSION_DENIED',
      `This ${body.what} is signed by somebody who is not the owner it names.`,
    );
  }
  return { ...opened, generation: signed.generation };
}
