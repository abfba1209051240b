import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { utf8 } from '../bytes.js';
import { assert } from '../errors.js';
import { derive, KEY_BYTES } from './kdf.js';
import { DERIVE, USER_ID_LABEL } from './labels.js';
import { ED25519_PUBLIC_KEY_BYTES } from './signature.js';

/** PKCS #8 of a private key of RFC 8410 up to its 32 bytes; the object identifiers differ in one byte. */
const PKCS8_PREFIX = {
  ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
};

export interface UserKeyPair {
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Everything secret of a user, all of it derived from the root key. */
export interface UserKeys {
  /** Seals the documents of the user's catalog. */
  readonly catalogKey: Uint8Array;
  /** Yields the keys of stripe directories (`stripeDirectoryKey`). */
  readonly directoryKey: Uint8Array;
  /** Ed25519. */
  readonly signing: UserKeyPair;
  /** X25519. */
  readonly sharing: UserKeyPair;
}

export function newRootKey(): Uint8Array {
  return randomBytes(KEY_BYTES);
}

function keyPair(type: keyof typeof PKCS8_PREFIX, seed: Uint8Array): UserKeyPair {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX[type], seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  // The key is the end of its SubjectPublicKeyInfo (RFC 8410 section 4).
  return { privateKey, publicKey: Uint8Array.from(spki.subarray(-ED25519_PUBLIC_KEY_BYTES)) };
}

/** @param rootKey 32 bytes */
export function deriveUserKeys(rootKey: Uint8Array): UserKeys {
  return {
    catalogKey: derive(rootKey, DERIVE.catalog),
    directoryKey: derive(rootKey, DERIVE.directory),
    signing: keyPair('ed25519', derive(rootKey, DERIVE.signing)),
    sharing: keyPair('x25519', derive(rootKey, DERIVE.sharing)),
  };
}

/** The extent key of one stripe's directory. @param salt 32 random bytes that stand before it in the stripe */
export function stripeDirectoryKey(directoryKey: Uint8Array, salt: Uint8Array): Uint8Array {
  assert(salt.length === KEY_BYTES, `a directory salt of ${String(salt.length)} bytes`);
  return derive(directoryKey, DERIVE.stripeDirectory, { salt });
}

/** SHA-256("shoal/user/1" ‖ Ed25519 public key) in lower-case hex: the user's id. */
export function userId(publicKey: Uint8Array): string {
  return createHash('sha256').update(utf8(USER_ID_LABEL)).update(publicKey).digest('hex');
}
