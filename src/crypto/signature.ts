import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { toHex, utf8 } from '../bytes.js';
import { assert, wrapError } from '../errors.js';
import { SIGNATURE_CONTEXTS, type SignaturePurpose } from './labels.js';

export const ED25519_PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** SubjectPublicKeyInfo of Ed25519 up to the 32 key bytes (RFC 8410 section 4). */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The 0x00 cannot occur in a context, so no context is a prefix of another's message. */
function message(purpose: SignaturePurpose, body: Uint8Array): Buffer {
  return Buffer.concat([utf8(SIGNATURE_CONTEXTS[purpose]), Uint8Array.of(0), body]);
}

/** Ed25519 (RFC 8032) over context ‖ 0x00 ‖ body: what users sign with. */
export function signEd25519(purpose: SignaturePurpose, body: Uint8Array, privateKey: KeyObject): Uint8Array {
  assert(privateKey.asymmetricKeyType === 'ed25519', 'not an Ed25519 key');
  return sign(null, message(purpose, body), privateKey);
}

export interface Ed25519Signature {
  readonly signature: Uint8Array;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** @returns false for anything that is not this key's signature, malformed keys included */
export function verifyEd25519(purpose: SignaturePurpose, body: Uint8Array, by: Ed25519Signature): boolean {
  if (by.signature.length !== SIGNATURE_BYTES || by.publicKey.length !== ED25519_PUBLIC_KEY_BYTES) return false;
  return verify(null, message(purpose, body), ed25519Key(by.publicKey), by.signature);
}

/** Parsing a key costs as much as a verification, and a peer sees the same few owners again and again. */
const parsedKeys = new Map<string, KeyObject>();
const MAX_PARSED_KEYS = 256;

function ed25519Key(raw: Uint8Array): KeyObject {
  const name = toHex(raw);
  let key = parsedKeys.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([ED25519_SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
    if (parsedKeys.size >= MAX_PARSED_KEYS) parsedKeys.clear();
    parsedKeys.set(name, key);
  }
  return key;
}

/** ECDSA P-256 with SHA-256 over context ‖ 0x00 ‖ body, as r ‖ s (IEEE P1363): what peers sign with. */
export function signP256(purpose: SignaturePurpose, body: Uint8Array, privateKey: KeyObject): Uint8Array {
  assert(privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1', 'not a P-256 key');
  try {
    return sign('sha256', message(purpose, body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  } catch (error) {
    throw wrapError(error, 'signing with the key of this peer');
  }
}

/** @returns false for anything that is not this key's signature */
export function verifyP256(
  purpose: SignaturePurpose,
  body: Uint8Array,
  signature: Uint8Array,
  publicKey: KeyObject,
): boolean {
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || signature.length !== SIGNATURE_BYTES) return false;
  return verify('sha256', message(purpose, body), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}
