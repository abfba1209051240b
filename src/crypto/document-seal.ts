import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { concatBytes } from '../bytes.js';
import { StorageError } from '../errors.js';
import { derive } from './kdf.js';
import { DERIVE } from './labels.js';

const SALT_BYTES = 32;
const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
/** Every document has a key of its own (from its salt), which seals one message: one nonce is enough. */
const NONCE = new Uint8Array(12);

/** What sealing adds to a document. */
export const DOCUMENT_OVERHEAD_BYTES = SALT_BYTES + TAG_BYTES;

/**
 * Seals a small document in one AEAD call: salt (32 random bytes) ‖ ChaCha20-Poly1305 ‖ tag, under
 * HKDF(catalog key, salt, "shoal/document/1"). Documents are signed besides, by which the sealing need not commit to its
 * key.
 *
 * @param aad the plain fields that the document is bound to
 */
export function sealDocument(catalogKey: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  return sealWith(randomBytes(SALT_BYTES), catalogKey, aad, plain);
}

/**
 * The same with a salt that follows from key, fields and content: peers that seal one old document again, each by itself,
 * make one new document. No two contents share a key, so the zero nonce is still used once.
 */
export function resealDocument(catalogKey: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const context = createHash('sha256').update(createHash('sha256').update(aad).digest()).update(plain).digest();
  return sealWith(derive(catalogKey, DERIVE.reseal, { bytes: SALT_BYTES, context }), catalogKey, aad, plain);
}

function sealWith(salt: Uint8Array, catalogKey: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, derive(catalogKey, DERIVE.document, { salt }), NONCE, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(aad, { plaintextLength: plain.length });
  const body = cipher.update(plain);
  cipher.final();
  return concatBytes(salt, body, cipher.getAuthTag());
}

/** @throws StorageError CORRUPT when the document, its plain fields or the key is not the one it was sealed with */
export function unsealDocument(catalogKey: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const wrong = 'A catalog document does not open: it was altered, or belongs to somebody else.';
  if (sealed.length < DOCUMENT_OVERHEAD_BYTES) throw new StorageError('CORRUPT', wrong);
  const tagAt = sealed.length - TAG_BYTES;
  const key = derive(catalogKey, DERIVE.document, { salt: sealed.subarray(0, SALT_BYTES) });
  const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad, { plaintextLength: tagAt - SALT_BYTES });
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(SALT_BYTES, tagAt));
  try {
    decipher.final();
  } catch (error) {
    throw new StorageError('CORRUPT', wrong, { cause: error });
  }
  return plain;
}
