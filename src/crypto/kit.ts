import { randomBytes } from 'node:crypto';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { concatBytes } from '../bytes.js';
import { StorageError } from '../errors.js';
import { MAX_KIT_TEXT_CHARS } from '../limits.js';
import { KEY_BYTES } from './kdf.js';
import { DERIVE } from './labels.js';
import {
  openRootKey,
  ownerBinding,
  sealRootKey,
  WRAP_SALT_BYTES,
  WRAP_SEALED_BYTES,
  type WrapKeys,
  wrapKeys,
  type WrapOwner,
} from './root-wrap.js';

/** BIP-39: 256 bits and 8 of checksum, 11 a word. */
export const KIT_WORDS = 24;

/** A root key under the words of a recovery kit: may lie where anybody reads it. */
export interface KitWrap {
  /** Of the user document that brought the kit; the wrap is bound to it. */
  readonly version: number;
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** Key commitment (32) ‖ root key under ChaCha20-Poly1305 (32) ‖ tag (16). */
  readonly sealed: Uint8Array;
}

const WORDS: ReadonlySet<string> = new Set(wordlist);

/** @returns 24 words that stand for 32 fresh random bytes */
export function newKitWords(): readonly string[] {
  return entropyToMnemonic(randomBytes(KEY_BYTES), wordlist).split(' ');
}

/** A number and its word, as the printed page has them. */
const NUMBERED = /(?<!\d)(\d{1,2})\.\s*([a-z]+)/g;

/**
 * Words as people type them, or as they come out of the printed page: numbers, dots and line ends may stand between them. Where
 * every number from 1 to 24 stands before a word, these words are meant, in that order: the page has them in columns.
 */
function splitWords(text: string): string[] {
  const plain = text.normalize('NFKD').toLowerCase();
  const numbered = new Map([...plain.matchAll(NUMBERED)].map(([, number, word = '']) => [Number(number), word]));
  const inOrder = Array.from({ length: KIT_WORDS }, (_, index) => numbered.get(index + 1) ?? '');
  if (numbered.size === KIT_WORDS && !inOrder.includes('')) return inOrder;
  return plain.split(/[\s\d.,;:)-]+/).filter((word) => word !== '');
}

/**
 * The secret that a kit's words stand for.
 *
 * @throws StorageError INVALID_ARGUMENT that names what is wrong: the number of words, a word, or their checksum
 */
export function kitSecret(text: string): Uint8Array {
  const words = text.length > MAX_KIT_TEXT_CHARS ? [] : splitWords(text);
  if (words.length !== KIT_WORDS) {
    const found = text.length > MAX_KIT_TEXT_CHARS ? 'more' : String(words.length);
    throw new StorageError('INVALID_ARGUMENT', `A recovery kit has ${String(KIT_WORDS)} words; these are ${found}.`);
  }
  const unknown = words.findIndex((word) => !WORDS.has(word));
  if (unknown >= 0) {
    // Quoted, for most are slips of a few letters; cut, for it could be a passphrase that was typed here.
    const word = words[unknown]?.slice(0, 12) ?? '';
    throw new StorageError(
      'INVALID_ARGUMENT',
      `Word ${String(unknown + 1)} of the recovery kit, "${word}", is not in the list of words. Look for a slip of the pen.`,
    );
  }
  try {
    return mnemonicToEntropy(words.join(' '), wordlist);
  } catch (error) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'All words of the recovery kit exist, but their checksum is wrong: two are swapped, or one was taken for another.',
      { cause: error },
    );
  }
}

function keysOf(words: string, owner: WrapOwner, salt: Uint8Array): WrapKeys {
  const secret = kitSecret(words);
  try {
    return wrapKeys(secret, DERIVE.kit, concatBytes(ownerBinding(owner), salt));
  } finally {
    secret.fill(0);
  }
}

/** Wraps a root key under the words of a new kit. 256 random bits need no stretching. */
export function wrapUnderKit(words: string, rootKey: Uint8Array, owner: WrapOwner): KitWrap {
  const salt = randomBytes(WRAP_SALT_BYTES);
  return { version: owner.version, salt, sealed: sealRootKey(keysOf(words, owner, salt), rootKey) };
}

/**
 * Opens a kit's wrap from wherever it lay.
 *
 * @throws StorageError INVALID_ARGUMENT for what are no words of a kit; CORRUPT for a wrap of the wrong shape;
 *   UNAUTHENTICATED for another kit, or an altered wrap
 */
export function unwrapWithKit(words: string, wrap: KitWrap, user: string): Uint8Array {
  if (wrap.salt.length !== WRAP_SALT_BYTES || wrap.sealed.length !== WRAP_SEALED_BYTES || wrap.version < 1) {
    throw new StorageError(
      'CORRUPT',
      "The recovery kit's part of this user is damaged. Restore it from a backup host.",
    );
  }
  const rootKey = openRootKey(keysOf(words, { user, version: wrap.version }, wrap.salt), wrap.sealed);
  if (rootKey === undefined) {
    throw new StorageError(
      'UNAUTHENTICATED',
      'There is no such user, or these are the words of another kit: a newer one may have retired them.',
    );
  }
  return rootKey;
}
