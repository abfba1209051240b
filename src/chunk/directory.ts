import { randomBytes } from 'node:crypto';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { KEY_BYTES } from '../crypto/kdf.js';
import { sealedBytes, sealExtentInto, unsealExtent } from '../crypto/seal.js';
import { assert, StorageError } from '../errors.js';
import { Directory, DirectoryEntry } from '../gen/shoal/v1/format.js';
import { MAX_DIRECTORY_BYTES } from '../limits.js';
import { type FileId, idBytes, parseFileId, parseVersionId, type VersionId } from './ids.js';
import { isNormalPath } from './path.js';
import { decodeBounded } from './signed.js';

export const DIRECTORY_FORMAT = 1;
export const DIRECTORY_SALT_BYTES = 32;
/** Salt and a sealed directory without entries, which encodes to two bytes. */
export const MIN_DIRECTORY_BYTES = DIRECTORY_SALT_BYTES + sealedBytes(2);
const MAX_MODE = 0o7777;

/** One extent as the directory of its stripe names it: enough to put its file together again. */
export interface DirectoryExtent {
  readonly file: FileId;
  readonly version: VersionId;
  readonly path: string;
  readonly modifiedMs: number;
  /** Unix time of the put: what orders the versions of a file. Absent where the writer did not say. */
  readonly createdMs?: number;
  readonly mode: number;
  /** Where the extent begins in the file. */
  readonly fileOffset: number;
  /** The file ends with this extent. */
  readonly last: boolean;
  /** 32 bytes; none for the entry of an empty file, which has no extent. */
  readonly key: Uint8Array;
  /** Of the sealed extent in the stripe. */
  readonly offset: number;
  readonly sealedBytes: number;
  /** Plaintext bytes; 0 only for an empty file. */
  readonly bytes: number;
}

/** The key of one stripe's directory, from its salt: stripeDirectoryKey with the owner's key. */
export type DirectoryKey = (salt: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Encoded bytes of an entry without its path, each number at its longest, and of its frame in the directory. */
const ENTRY_OVERHEAD_BYTES = 144;

/** An upper bound of what one extent adds to an encoded directory, from its path alone. */
export function directoryEntryBytes(path: string): number {
  return ENTRY_OVERHEAD_BYTES + Buffer.byteLength(path);
}

/** An upper bound of the sealed directory in the stripe. @param entryBytes the sum of directoryEntryBytes */
export function sealedDirectoryBytes(entryBytes: number): number {
  return DIRECTORY_SALT_BYTES + sealedBytes(entryBytes + 2);
}

/** What is wrong with an entry; undefined = nothing. @param directoryOffset where the extents of the stripe end */
function entryFault(entry: DirectoryExtent, directoryOffset: number): string | undefined {
  if (!isNormalPath(entry.path)) return 'path';
  if (entry.mode > MAX_MODE) return 'mode';
  if (!Number.isSafeInteger(entry.fileOffset + entry.bytes)) return 'place in the file';
  if (entry.bytes === 0) {
    const empty = entry.key.length === 0 && entry.sealedBytes === 0 && entry.offset === 0 && entry.fileOffset === 0;
    return empty && entry.last ? undefined : 'extent';
  }
  if (entry.key.length !== KEY_BYTES) return 'key';
  if (entry.sealedBytes !== sealedBytes(entry.bytes)) return 'length';
  return entry.offset + entry.sealedBytes <= directoryOffset ? undefined : 'place in the stripe';
}

/**
 * Seals the directory of a stripe: salt ‖ sealed extent.
 *
 * @param directoryOffset where it will lie: the end of the stripe's extents
 */
export async function sealDirectory(
  entries: readonly DirectoryExtent[],
  directoryOffset: number,
  directoryKey: DirectoryKey,
  salt: Uint8Array = randomBytes(DIRECTORY_SALT_BYTES),
): Promise<Uint8Array> {
  for (const entry of entries) {
    const fault = entryFault(entry, directoryOffset);
    assert(fault === undefined, `a directory entry with a wrong ${String(fault)}`);
  }
  const plaintext = Directory.encode({
    format: DIRECTORY_FORMAT,
    entries: entries.map((entry) => ({
      ...entry,
      file: idBytes(entry.file),
      version: idBytes(entry.version),
      createdMs: entry.createdMs ?? 0,
    })),
  }).finish();
  const out = new Uint8Array(DIRECTORY_SALT_BYTES + sealedBytes(plaintext.length));
  assert(out.length <= MAX_DIRECTORY_BYTES, `a directory of ${String(out.length)} bytes`);
  out.set(salt);
  sealExtentInto(await directoryKey(salt), plaintext, out.subarray(DIRECTORY_SALT_BYTES));
  return out;
}

/** Field numbers of shoal.v1.Directory. */
const FORMAT_FIELD = 1;
const ENTRIES_FIELD = 2;

function decodeEntry(reader: BinaryReader, directoryOffset: number): DirectoryExtent {
  const { createdMs, ...raw } = DirectoryEntry.decode(reader, reader.uint32());
  const entry = {
    ...raw,
    ...(createdMs > 0 && { createdMs }),
    file: parseFileId(raw.file),
    version: parseVersionId(raw.version),
    // A copy: a key must not keep the plaintext of the whole directory alive.
    key: Uint8Array.from(raw.key),
  };
  const fault = entryFault(entry, directoryOffset);
  if (fault !== undefined) throw new StorageError('CORRUPT', `An entry of this directory has a wrong ${fault}.`);
  return entry;
}

function decode(plaintext: Uint8Array, directoryOffset: number): DirectoryExtent[] {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const reader = new BinaryReader(plaintext, (bytes) => utf8.decode(bytes));
  const [first, firstType] = reader.tag();
  const format = first === FORMAT_FIELD && firstType === WireType.Varint ? reader.uint32() : 0;
  if (format !== DIRECTORY_FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `This directory has format ${String(format)}; this version of Shoal reads format 1. Upgrade Shoal on this machine.`,
    );
  }
  // Not by the generated decoder of the whole: it would make a million objects of two bytes each before any is checked.
  const entries: DirectoryExtent[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === ENTRIES_FIELD && type === WireType.LengthDelimited)
      entries.push(decodeEntry(reader, directoryOffset));
    else reader.skip(type, field);
  }
  return entries;
}

/** Reads the plaintext of a directory. @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED */
export function decodeDirectory(plaintext: Uint8Array, directoryOffset: number): DirectoryExtent[] {
  return decodeBounded(
    { what: 'directory', maxBytes: MAX_DIRECTORY_BYTES, decode: (bytes) => decode(bytes, directoryOffset) },
    plaintext,
  );
}

/**
 * Opens the directory of a stripe.
 *
 * @param sealed the bytes [directoryOffset, directoryOffset + directoryBytes) of the stripe, as its label says
 * @throws StorageError LIMIT_EXCEEDED; CORRUPT for an altered directory or another user's key; UNSUPPORTED
 */
export async function unsealDirectory(
  sealed: Uint8Array,
  directoryOffset: number,
  directoryKey: DirectoryKey,
): Promise<DirectoryExtent[]> {
  if (sealed.length > MAX_DIRECTORY_BYTES) {
    throw new StorageError('LIMIT_EXCEEDED', `A directory has at most ${String(MAX_DIRECTORY_BYTES)} bytes.`);
  }
  if (sealed.length < MIN_DIRECTORY_BYTES) throw new StorageError('CORRUPT', 'A directory was cut short.');
  const key = await directoryKey(sealed.slice(0, DIRECTORY_SALT_BYTES));
  const blocks = [...unsealExtent(key, sealed.subarray(DIRECTORY_SALT_BYTES))];
  return decodeDirectory(Buffer.concat(blocks), directoryOffset);
}
