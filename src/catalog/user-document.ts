import { idBytes, parseUserId, type UserId } from '../chunk/ids.js';
import { decodeBounded, openSigned, sealSigned } from '../chunk/signed.js';
import type { Wrap } from '../crypto/passphrase.js';
import type { UserKeys } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import { Signed, UserBody } from '../gen/shoal/v1/format.js';
import { MAX_USER_DOCUMENT_BYTES, MAX_USER_NAME_CHARS } from '../limits.js';
import type { Document } from '../documents/document-database.js';

const FORMAT = 1;
const USER_NAME = /^[a-z0-9._-]+$/;
const X25519_KEY_BYTES = 32;
const PREFIX = 'user-';

/** What everybody may know of a user. */
export interface UserDocument {
  readonly owner: UserId;
  readonly name: string;
  /** Counts passphrase changes, from 1. */
  readonly version: number;
  /** Ed25519, 32 bytes; the user id is its hash. */
  readonly publicKey: Uint8Array;
  /** X25519, 32 bytes. */
  readonly sharingKey: Uint8Array;
  readonly wrap: Wrap;
  readonly createdMs: number;
}

/** @throws StorageError INVALID_ARGUMENT */
export function checkUserName(name: string): void {
  if (!USER_NAME.test(name) || name.length > MAX_USER_NAME_CHARS) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `A user name has 1 to ${String(MAX_USER_NAME_CHARS)} of the characters a–z, 0–9, ".", "_" and "-".`,
    );
  }
}

function decode(body: Uint8Array): Omit<UserDocument, 'publicKey'> {
  const { format, owner, name, version, sharingKey, wrap, createdMs } = UserBody.decode(body);
  if (format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `This user was made by a newer version of Shoal (format ${String(format)}). Upgrade Shoal on this machine.`,
    );
  }
  if (format !== FORMAT || wrap === undefined || sharingKey.length !== X25519_KEY_BYTES || version < 1) {
    throw new StorageError('CORRUPT', 'This user document does not make sense.');
  }
  checkUserName(name);
  return { owner: parseUserId(owner), name, version, sharingKey, wrap, createdMs };
}

/** Signs a user's document. @returns an encoded shoal.v1.Signed: what exportUser gives and importUser takes */
export function writeUser(user: Omit<UserDocument, 'publicKey'>, keys: UserKeys): Uint8Array {
  const body = UserBody.encode({ ...user, format: FORMAT, owner: idBytes(user.owner) }).finish();
  return sealSigned('userDocument', body, keys.signing);
}

/**
 * Reads a user's document from wherever it lay. The id follows from the key that signed it, so nobody can put another key
 * or another wrap under a user's id.
 *
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED, PERMISSION_DENIED when the user did not sign it
 */
export function readUser(signed: Uint8Array): UserDocument {
  const bounds = { what: 'user document', maxBytes: MAX_USER_DOCUMENT_BYTES };
  const user = openSigned('userDocument', { ...bounds, decode }, signed);
  const { publicKey } = decodeBounded({ ...bounds, decode: (bytes) => Signed.decode(bytes) }, signed);
  return { ...user, publicKey: Uint8Array.from(publicKey) };
}

export function userDocumentId(user: UserId): string {
  return PREFIX + user;
}

export const USER_PREFIX = PREFIX;

export function toDocument(user: UserId, signed: Uint8Array): Document {
  return { _id: userDocumentId(user), type: 'user', format: FORMAT, signed: Buffer.from(signed).toString('base64') };
}

/** @returns the signed bytes @throws StorageError CORRUPT, UNSUPPORTED, PERMISSION_DENIED; see readUser */
export function fromDocument(document: Document): { readonly user: UserDocument; readonly signed: Uint8Array } {
  const field = document['signed'];
  if (typeof field !== 'string') throw new StorageError('CORRUPT', 'This user document has no signed part.');
  const signed = Uint8Array.from(Buffer.from(field, 'base64'));
  const user = readUser(signed);
  if (document._id !== userDocumentId(user.owner)) {
    throw new StorageError('CORRUPT', 'This user document lies under the id of another user.');
  }
  return { user, signed };
}
