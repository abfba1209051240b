import type { KeyObject } from 'node:crypto';
import { fromHex, toHex } from '../bytes.js';
import { assert, StorageError } from '../errors.js';
import { type KeyLink, SuccessionBody } from '../gen/shoal/v1/format.js';
import { MAX_KEY_GENERATIONS, MAX_VERIFIED_CHAINS } from '../limits.js';
import { userId } from './root-key.js';
import { ED25519_PUBLIC_KEY_BYTES, signEd25519, verifyEd25519 } from './signature.js';

export type { KeyLink } from '../gen/shoal/v1/format.js';

/** Whoever signs as a user: with the key of the newest generation, which the links tie to the first. */
export interface Signer {
  /** Of the newest generation. */
  readonly privateKey: KeyObject;
  /** Of the first generation: the user id is its hash. */
  readonly publicKey: Uint8Array;
  /** One for each generation after the first, in order. */
  readonly links?: readonly KeyLink[];
}

const USER_ID_BYTES = 32;

function succession(owner: string, generation: number, publicKey: Uint8Array): Uint8Array {
  const bytes = fromHex(owner, USER_ID_BYTES);
  assert(bytes !== undefined, 'a user id is 32 bytes of hex');
  return SuccessionBody.encode({ owner: bytes, generation, publicKey }).finish();
}

/**
 * The link to the key that follows `by`'s. It names user and generation, so that no link serves in another chain or place.
 *
 * @throws StorageError LIMIT_EXCEEDED after MAX_KEY_GENERATIONS keys
 */
export function linkTo(publicKey: Uint8Array, by: Signer): KeyLink {
  const generation = generationOf(by.links) + 1;
  if (generation > MAX_KEY_GENERATIONS) {
    throw new StorageError(
      'LIMIT_EXCEEDED',
      `The keys of a user can be rotated ${String(MAX_KEY_GENERATIONS - 1)} times, and these were. Make a new user and copy the files.`,
    );
  }
  const body = succession(userId(by.publicKey), generation, publicKey);
  return { publicKey, signature: signEd25519('succession', body, by.privateKey) };
}

/** Of the key that the links end with; counts from 1. */
export function generationOf(links: readonly KeyLink[] = []): number {
  return links.length + 1;
}

/** Chains that were found good, by their bytes. Emptied when full. */
const verified = new Set<string>();

/**
 * Follows the links from a user's first signing key.
 *
 * @returns the key at their end: `publicKey` itself when there are none
 * @throws StorageError LIMIT_EXCEEDED for too many links, PERMISSION_DENIED for one that the key before it did not sign
 */
export function followLinks(publicKey: Uint8Array, links: readonly KeyLink[]): Uint8Array {
  const last = links.at(-1);
  if (last === undefined) return publicKey;
  if (generationOf(links) > MAX_KEY_GENERATIONS) {
    throw new StorageError('LIMIT_EXCEEDED', `A user has at most ${String(MAX_KEY_GENERATIONS)} generations of keys.`);
  }
  const name = [publicKey, ...links.flatMap((link) => [link.publicKey, link.signature])].map(toHex).join('.');
  if (verified.has(name)) return last.publicKey;
  const owner = userId(publicKey);
  let before = publicKey;
  for (const [index, link] of links.entries()) {
    const body = succession(owner, index + 2, link.publicKey);
    const good =
      link.publicKey.length === ED25519_PUBLIC_KEY_BYTES &&
      verifyEd25519('succession', body, { signature: link.signature, publicKey: before });
    if (!good) {
      throw new StorageError('PERMISSION_DENIED', 'The chain of signing keys is broken: a key was forged or left out.');
    }
    before = link.publicKey;
  }
  if (verified.size >= MAX_VERIFIED_CHAINS) verified.clear();
  verified.add(name);
  return before;
}
