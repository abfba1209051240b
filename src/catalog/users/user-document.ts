import { idBytes, parsePeerId, parseUserId, type PeerId, type UserId } from '../../chunk/ids.js';
import { decodeBounded, sealSigned, verifySigned } from '../../chunk/signed.js';
import { DOCUMENT_OVERHEAD_BYTES } from '../../crypto/document-seal.js';
import type { FormerKey } from '../../crypto/former-keys.js';
import { KEY_BYTES } from '../../crypto/kdf.js';
import type { KitWrap } from '../../crypto/kit.js';
import { checkCost, type Wrap } from '../../crypto/passphrase.js';
import { userId } from '../../crypto/root-key.js';
import { generationOf, type KeyLink, type Signer } from '../../crypto/succession.js';
import { StorageError } from '../../errors.js';
import { UserBody } from '../../gen/shoal/v1/format.js';
import { MAX_SSH_KEY_NAME_CHARS, MAX_SSH_KEYS, MAX_USER_DOCUMENT_BYTES, MAX_USER_NAME_CHARS } from '../../limits.js';
import { SSH_FINGERPRINT_BYTES, type SshKey } from './ssh-key.js';

const FORMAT = 1;
const USER_NAME = /^[a-z0-9._-]+$/;
const X25519_KEY_BYTES = 32;
const PREFIX = 'user-';
const BOUNDS = { what: 'user document', maxBytes: MAX_USER_DOCUMENT_BYTES };

/** What the body of a user document says. */
export interface UserFields {
  readonly owner: UserId;
  readonly name: string;
  /** Counts the documents of this user, from 1; the passphrase's wrap is bound to it. */
  readonly version: number;
  /** Of the root key, from 1. */
  readonly generation: number;
  /** X25519, 32 bytes. */
  readonly sharingKey: Uint8Array;
  /** The root key of this generation, under the passphrase. */
  readonly wrap: Wrap;
  /** The same under the words of the recovery kit. */
  readonly kit?: KitWrap;
  /** The root keys before this one, in order, sealed under it. */
  readonly former: readonly FormerKey[];
  /** Where this generation began: that peer seals the catalog anew. Absent in the first. */
  readonly rotatedBy?: PeerId;
  readonly createdMs: number;
  /** Absent: none. Documents of older versions of Shoal have none. */
  readonly sshKeys?: readonly SshKey[];
}

/** What everybody may know of a user. */
export interface UserDocument extends UserFields {
  /** Ed25519, 32 bytes, of the first generation; the user id is its hash for ever. */
  readonly publicKey: Uint8Array;
  /** From the first signing key to that of this generation. */
  readonly links: readonly KeyLink[];
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

function demand(condition: boolean): void {
  if (!condition) throw new StorageError('CORRUPT', 'This user document does not make sense.');
}

function own(field: Uint8Array): Uint8Array {
  return Uint8Array.from(field);
}

function decode(bytes: Uint8Array): UserFields {
  const body = UserBody.decode(bytes);
  if (body.format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `This user was made by a newer version of Shoal (format ${String(body.format)}). Upgrade Shoal on this machine.`,
    );
  }
  const { format, name, version, sharingKey, wrap, kit, former, rotatedBy, createdMs, sshKeys } = body;
  if (wrap === undefined) throw new StorageError('CORRUPT', 'This user document has no wrapped key.');
  demand(format === FORMAT && version >= 1 && sharingKey.length === X25519_KEY_BYTES);
  demand(kit === undefined || (kit.version >= 1 && kit.version <= version));
  // Documents of the first format have no number.
  const generation = Math.max(1, body.generation);
  demand(former.length === generation - 1);
  for (const [index, key] of former.entries()) {
    demand(key.generation === index + 1 && key.sealed.length === DOCUMENT_OVERHEAD_BYTES + KEY_BYTES);
  }
  demand(sshKeys.length <= MAX_SSH_KEYS && sshKeys.every(isSshKey));
  // Here already, so that a document with weak settings is neither kept nor passed on.
  checkCost(wrap);
  checkUserName(name);
  return {
    owner: parseUserId(body.owner),
    name,
    version,
    generation,
    sharingKey: own(sharingKey),
    wrap: { ...wrap, salt: own(wrap.salt), sealed: own(wrap.sealed) },
    ...(kit && { kit: { ...kit, salt: own(kit.salt), sealed: own(kit.sealed) } }),
    former: former.map((key) => ({ ...key, sealed: own(key.sealed) })),
    ...(rotatedBy.length > 0 && { rotatedBy: parsePeerId(rotatedBy) }),
    createdMs,
    ...(sshKeys.length > 0 && { sshKeys: sshKeys.map((key) => ({ ...key, fingerprint: own(key.fingerprint) })) }),
  };
}

/** A kind of key that this version does not know lets nobody in, but is kept. */
function isSshKey({ fingerprint, algorithm, name }: SshKey): boolean {
  const named = algorithm.length > 0 && algorithm.length <= MAX_SSH_KEY_NAME_CHARS;
  return named && Array.from(name).length <= MAX_SSH_KEY_NAME_CHARS && fingerprint.length === SSH_FINGERPRINT_BYTES;
}

/** Signs a user's document. @returns an encoded shoal.v1.Signed: what exportUser gives and importUser takes */
export function writeUser(user: UserFields, signer: Signer): Uint8Array {
  const { name, version, generation, sharingKey, wrap, kit, former, rotatedBy, createdMs, sshKeys = [] } = user;
  const fields = { name, version, generation, sharingKey, wrap, kit, createdMs };
  const peer = rotatedBy === undefined ? new Uint8Array(0) : idBytes(rotatedBy);
  const ids = { owner: idBytes(user.owner), rotatedBy: peer };
  const body = { ...fields, ...ids, format: FORMAT, former: [...former], sshKeys: [...sshKeys] };
  return sealSigned('userDocument', UserBody.encode(body).finish(), signer);
}

/**
 * Reads a user's document from wherever it lay. The id follows from the first key of the chain that signed it, and the
 * newest key of the chain is that of the document's own generation: so nobody can put another key or another wrap under a
 * user's id, and a retired key signs no document of a later generation.
 *
 * @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED; PERMISSION_DENIED when the user did not sign it, or for
 *   passphrase settings below the floor
 */
export function readUser(signed: Uint8Array): UserDocument {
  const { body, publicKey, links, generation } = verifySigned('userDocument', BOUNDS, signed);
  const user = decodeBounded({ ...BOUNDS, decode }, body);
  if (user.owner !== userId(publicKey) || user.generation !== generation) {
    throw new StorageError('PERMISSION_DENIED', 'This user document is not signed with the keys of its user.');
  }
  const chain = links.map((link) => ({ publicKey: own(link.publicKey), signature: own(link.signature) }));
  return { ...user, publicKey: own(publicKey), links: chain };
}

/** Ed25519, 32 bytes: the signing key of a generation. */
export function signingKeyOf({ publicKey, links }: UserDocument, generation: number): Uint8Array | undefined {
  return generation === 1 ? publicKey : links[generation - 2]?.publicKey;
}

/** One number that orders the documents of a user: a later root key counts more than any number of changed passphrases. */
export function userCounter({ generation, version }: Pick<UserFields, 'generation' | 'version'>): number {
  return generation * 2 ** 32 + version;
}

/**
 * Whether the keys of `later` follow those of `known`: the same chain, or a longer one that begins with it. A retired key
 * can sign a chain of its own, as long as it likes; whoever has seen the right one is not taken in.
 */
export function isSuccessor(later: UserDocument, known: UserDocument): boolean {
  if (generationOf(later.links) < generationOf(known.links)) return false;
  return known.links.every((link, index) => {
    const other = later.links[index]?.publicKey;
    return other !== undefined && Buffer.compare(other, link.publicKey) === 0;
  });
}

export function userDocumentId(user: UserId): string {
  return PREFIX + user;
}

export const USER_PREFIX = PREFIX;
