import { createHash } from 'node:crypto';
import { concatBytes, fromHex, u32, u64, utf8 } from '../../bytes.js';
import { idBytes, parsePeerId, type PeerId, type UserId } from '../../chunk/ids.js';
import { resealDocument, sealDocument, unsealDocument } from '../../crypto/document-seal.js';
import type { UserKeys } from '../../crypto/root-key.js';
import { signEd25519, verifyEd25519 } from '../../crypto/signature.js';
import { StorageError } from '../../errors.js';
import { MAX_DOCUMENT_PLAIN_BYTES, MAX_SEALED_DOCUMENT_BYTES } from '../../limits.js';
import type { Document } from '../../documents/document-database.js';
import { documentId, type SealedType } from './document-id.js';

const FORMAT = 1;
/** It is signed as 32 bits. */
const MAX_FORMAT = 0xffffffff;

/** The plain fields, which the seal and the signature bind. */
export interface SealedFields {
  readonly type: SealedType;
  readonly user: UserId;
  readonly peer: PeerId;
  readonly counter: number;
}

/** A document of `user-<id>-<generation>`: immutable, named by its content, sealed and signed by the user. docs/spec/5-catalog.md */
export interface SealedDocument extends SealedFields {
  readonly id: string;
  /** In the id: SHA-256 of the sealed bytes, in hex. */
  readonly hash: string;
  readonly plain: Uint8Array;
}

/** Type (text ‖ 0x00) ‖ u32 format ‖ user ‖ peer ‖ u64 counter: unambiguous, for all but the type have one length. */
function plainFields(fields: SealedFields, format: number): Uint8Array {
  const { type, user, peer, counter } = fields;
  return concatBytes(utf8(type), Uint8Array.of(0), u32(format), idBytes(user), idBytes(peer), u64(counter));
}

function contentHash(sealed: Uint8Array): string {
  return createHash('sha256').update(sealed).digest('hex');
}

/**
 * @param again the content was sealed before, under other keys: whoever does that makes the same document
 * @throws StorageError LIMIT_EXCEEDED for what would not fit a document
 */
export function writeSealed(
  fields: SealedFields,
  plain: Uint8Array,
  keys: UserKeys,
  { again = false }: { readonly again?: boolean } = {},
): Document {
  if (plain.length > MAX_DOCUMENT_PLAIN_BYTES) {
    throw new StorageError('LIMIT_EXCEEDED', 'One step of this is larger than a document of the catalog can be.');
  }
  const aad = plainFields(fields, FORMAT);
  const sealed = (again ? resealDocument : sealDocument)(keys.catalogKey, aad, plain);
  const signature = signEd25519('change', concatBytes(aad, sealed), keys.signing.privateKey);
  return {
    _id: documentId(fields.type, contentHash(sealed)),
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

interface ReadFields {
  readonly fields: SealedFields;
  readonly format: number;
}

function readFields(document: Document, type: SealedType, user: UserId): ReadFields {
  const { format, peer, counter } = document;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < FORMAT || format > MAX_FORMAT) {
    corrupt('has a field of the wrong shape');
  }
  if (document['type'] !== type) corrupt('is of another type');
  if (document['user'] !== user) corrupt('belongs to another user');
  if (typeof peer !== 'string' || fromHex(peer, 32) === undefined) corrupt('has a field of the wrong shape');
  if (typeof counter !== 'number' || !Number.isSafeInteger(counter) || counter < 0) {
    corrupt('has a field of the wrong shape');
  }
  return { fields: { type, user, peer: parsePeerId(peer), counter }, format };
}

/**
 * Reads a document that anybody may have written: it must be of this type and user, have the name that follows from its
 * content, and the user's signature over all of it. Id and signature are made alike in every format, so that nobody but
 * the user can claim that a newer version of Shoal has written something.
 *
 * @throws StorageError CORRUPT; UNSUPPORTED for a format from the future, signed by the user
 */
export function readSealed(
  document: Document,
  expected: Pick<SealedFields, 'type' | 'user'>,
  keys: UserKeys,
): SealedDocument {
  const { fields, format } = readFields(document, expected.type, expected.user);
  const sealed = bytesOf(document['sealed'], MAX_SEALED_DOCUMENT_BYTES);
  const signature = bytesOf(document['signature'], 64);
  const hash = contentHash(sealed);
  if (document._id !== documentId(fields.type, hash)) corrupt('lies under a name that is not its own');
  const aad = plainFields(fields, format);
  const by = { signature, publicKey: keys.signing.publicKey };
  if (!verifyEd25519('change', concatBytes(aad, sealed), by)) corrupt('is not signed by its user');
  if (format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `A document of the catalog has format ${String(format)}; this version of Shoal reads ${String(FORMAT)}. Upgrade Shoal on this machine.`,
    );
  }
  return { ...fields, id: document._id, hash, plain: unsealDocument(keys.catalogKey, aad, sealed) };
}
