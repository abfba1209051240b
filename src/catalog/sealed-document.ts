import { createHash } from 'node:crypto';
import { concatBytes, fromHex, u32, u64, utf8 } from '../bytes.js';
import { idBytes, parsePeerId, type PeerId, type UserId } from '../chunk/ids.js';
import { sealDocument, unsealDocument } from '../crypto/document-seal.js';
import type { UserKeys } from '../crypto/root-key.js';
import { signEd25519, verifyEd25519 } from '../crypto/signature.js';
import { StorageError } from '../errors.js';
import { MAX_SEALED_DOCUMENT_BYTES } from '../limits.js';
import type { Document } from '../documents/document-database.js';

const FORMAT = 1;

/** What a sealed document holds: catalog changes, or the extents of a big file. */
export type SealedType = 'change' | 'extents';

/** The plain fields, which the seal and the signature bind. */
export interface SealedFields {
  readonly type: SealedType;
  readonly user: UserId;
  readonly peer: PeerId;
  readonly counter: number;
}

/** A document of `user-<id>`: immutable, named by its content, sealed and signed by the user. docs/decisions/0002 */
export interface SealedDocument extends SealedFields {
  readonly id: string;
  readonly plain: Uint8Array;
}

/** Type (text ‖ 0x00) ‖ u32 format ‖ user ‖ peer ‖ u64 counter: unambiguous, for all but the type have one length. */
function plainFields(fields: SealedFields): Uint8Array {
  const { type, user, peer, counter } = fields;
  return concatBytes(utf8(type), Uint8Array.of(0), u32(FORMAT), idBytes(user), idBytes(peer), u64(counter));
}

function contentId(type: SealedType, sealed: Uint8Array): string {
  return `${type}-${createHash('sha256').update(sealed).digest('hex')}`;
}

export function writeSealed(fields: SealedFields, plain: Uint8Array, keys: UserKeys): Document {
  const aad = plainFields(fields);
  const sealed = sealDocument(keys.catalogKey, aad, plain);
  const signature = signEd25519('change', concatBytes(aad, sealed), keys.signing.privateKey);
  return {
    _id: contentId(fields.type, sealed),
    ...fields,
    format: FORMAT,
    sealed: Buffer.from(sealed).toString('base64'),
    signature: Buffer.from(signature).toString('base64'),
  };
}

function corrupt(reason: string): never {
  throw new StorageError('CORRUPT', `A document of the catalog ${reason}. It is ignored.`);
}

function bytesOf(field: unknown, maxBytes: number): Uint8Array {
  if (typeof field !== 'string' || field.length > Math.ceil(maxBytes / 3) * 4)
    corrupt('has a field of the wrong shape');
  return Buffer.from(field, 'base64');
}

function readFields(document: Document, type: SealedType, user: UserId): SealedFields {
  const { format, peer, counter } = document;
  if (typeof format === 'number' && format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `A document of the catalog has format ${String(format)}; this version of Shoal reads ${String(FORMAT)}. Upgrade Shoal on this machine.`,
    );
  }
  if (format !== FORMAT || document['type'] !== type) corrupt('is of another type');
  if (document['user'] !== user) corrupt('belongs to another user');
  if (typeof peer !== 'string' || fromHex(peer, 32) === undefined) corrupt('has a field of the wrong shape');
  if (typeof counter !== 'number' || !Number.isSafeInteger(counter) || counter < 0) {
    corrupt('has a field of the wrong shape');
  }
  return { type, user, peer: parsePeerId(peer), counter };
}

/**
 * Reads a document that anybody may have written: it must be of this type and user, have the name that follows from its
 * content, and the user's signature over all of it.
 *
 * @throws StorageError CORRUPT; UNSUPPORTED for a format from the future
 */
export function readSealed(
  document: Document,
  expected: Pick<SealedFields, 'type' | 'user'>,
  keys: UserKeys,
): SealedDocument {
  const fields = readFields(document, expected.type, expected.user);
  const sealed = bytesOf(document['sealed'], MAX_SEALED_DOCUMENT_BYTES);
  const signature = bytesOf(document['signature'], 64);
  if (document._id !== contentId(fields.type, sealed)) corrupt('lies under a name that is not its own');
  const aad = plainFields(fields);
  const by = { signature, publicKey: keys.signing.publicKey };
  if (!verifyEd25519('change', concatBytes(aad, sealed), by)) corrupt('is not signed by its user');
  return { ...fields, id: document._id, plain: unsealDocument(keys.catalogKey, aad, sealed) };
}
