import { BinaryReader } from '@bufbuild/protobuf/wire';
import { ID_BYTES, SHORT_ID_BYTES } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import {
  type AddVersion,
  type MoveVersion,
  Operation,
  type RemoveEntry,
  type Seen,
  type SetEntry,
} from '../../gen/shoal/v1/format.js';
import { MAX_CHANGE_BYTES } from '../../limits.js';

/** Ids, sizes and times of any operation. */
const ENTRY_BYTES = 80;
/** A key, a stripe, three numbers with few digits. */
const EXTENT_BYTES = 84;
/** An id of 16 bytes, with its tag and length. */
const SHORT_ID_FIELD_BYTES = 18;
/** What is known of one peer: its id and a counter, with tags and lengths. */
const SEEN_BYTES = 46;
/** A stamp and a time. */
const DOOM_BYTES = 92;
/** The hash of an extents document, with its tag and length. */
const HASH_FIELD_BYTES = 34;
/** Who moved a version, and when. */
const MOVE_BYTES = 46;

export type ChangeOperation = NonNullable<Operation['operation']>;

/** Where the bytes of an operation lie in the plaintext of its document: what they decode to is ten times as large. */
export interface PlacedOperation {
  readonly start: number;
  readonly end: number;
}

/** About the bytes of an operation: exact sizes are not worth encoding everything twice. */
function sizeOf(operation: ChangeOperation): number {
  switch (operation.$case) {
    case 'setEntry':
      return (
        ENTRY_BYTES +
        Buffer.byteLength(operation.value.name) +
        Buffer.byteLength(operation.value.trashedFrom) +
        operation.value.seen.length * SEEN_BYTES
      );
    case 'addVersion':
      return sizeOfVersion(operation.value);
    case 'moveVersion':
      return MOVE_BYTES + (operation.value.version === undefined ? 0 : sizeOfVersion(operation.value.version));
    case 'removeEntry':
      return sizeOfRemoval(operation.value);
  }
}

function sizeOfVersion({ extents, extentDocuments }: AddVersion): number {
  return ENTRY_BYTES + extents.length * EXTENT_BYTES + extentDocuments.length * HASH_FIELD_BYTES;
}

function sizeOfRemoval({ versions, doom, seen }: RemoveEntry): number {
  const answer = ENTRY_BYTES + versions.length * SHORT_ID_FIELD_BYTES + seen.length * SEEN_BYTES;
  return doom === undefined ? answer : answer + DOOM_BYTES + doom.seen.length * SEEN_BYTES;
}

/** In order, so that each group stays near MAX_CHANGE_BYTES; one operation alone may exceed it. */
export function groupOperations(operations: readonly ChangeOperation[]): ChangeOperation[][] {
  const groups: ChangeOperation[][] = [];
  let current: ChangeOperation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = sizeOf(operation);
    if (bytes + size > MAX_CHANGE_BYTES && current.length > 0) {
      groups.push(current);
      current = [];
      bytes = 0;
    }
    current.push(operation);
    bytes += size;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

/** For what the owner signed: nobody else could have written it, so it is a bug or a lost bit. */
export function demandSense(condition: boolean): void {
  if (!condition) {
    throw new StorageError('CORRUPT', 'A catalog document is signed by its owner but does not make sense.');
  }
}

function checkVersion(version: AddVersion): void {
  demandSense(version.file.length === SHORT_ID_BYTES && version.version.length === SHORT_ID_BYTES);
  demandSense(version.extents.every(({ key, stripe }) => key.length === ID_BYTES && stripe.length === ID_BYTES));
  demandSense(version.extentDocuments.every(({ length }) => length === ID_BYTES));
}

function checkMove({ version, counter, peer }: MoveVersion): void {
  demandSense(version !== undefined && Number.isSafeInteger(counter) && counter >= 1 && peer.length === ID_BYTES);
  if (version !== undefined) checkVersion(version);
}

function isKnowledge(seen: readonly Seen[]): boolean {
  return seen.every(({ peer, counter }) => peer.length === ID_BYTES && Number.isSafeInteger(counter));
}

function checkEntry({ node, parent, name, seen }: SetEntry): void {
  demandSense(node.length === SHORT_ID_BYTES && parent.length === SHORT_ID_BYTES && name !== '' && isKnowledge(seen));
}

function checkRemoval({ node, versions, doom, seen }: RemoveEntry): void {
  demandSense(node.length === SHORT_ID_BYTES && versions.every(({ length }) => length === SHORT_ID_BYTES));
  demandSense(isKnowledge(seen));
  if (doom === undefined) return;
  const { peer, document, counter, issuedMs } = doom;
  demandSense(peer.length === document.length && (peer.length === 0 || peer.length === ID_BYTES));
  demandSense(Number.isSafeInteger(counter) && Number.isSafeInteger(issuedMs) && isKnowledge(doom.seen));
}

function check(operation: ChangeOperation): void {
  switch (operation.$case) {
    case 'setEntry':
      checkEntry(operation.value);
      break;
    case 'addVersion':
      checkVersion(operation.value);
      break;
    case 'moveVersion':
      checkMove(operation.value);
      break;
    case 'removeEntry':
      checkRemoval(operation.value);
  }
}

/** Reads a length and an Operation, and checks it. @throws StorageError CORRUPT, or UNSUPPORTED for one that this version does not know */
export function readOperation(reader: BinaryReader): PlacedOperation {
  const length = reader.uint32();
  const start = reader.pos;
  const { operation } = Operation.decode(reader, length);
  if (operation === undefined) {
    throw new StorageError('UNSUPPORTED', 'The catalog was written to by a newer version of Shoal. Upgrade this one.');
  }
  check(operation);
  return { start, end: start + length };
}

/** Whatever protobuf finds wrong is CORRUPT. */
export function decodeSigned<T>(plain: Uint8Array, decode: (reader: BinaryReader) => T): T {
  try {
    return decode(new BinaryReader(plain));
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('CORRUPT', 'A catalog document could not be read.', { cause: error });
  }
}

/** What was read and checked before. */
export function decodeOperation(bytes: Uint8Array, { start, end }: PlacedOperation): ChangeOperation {
  const { operation } = Operation.decode(bytes.subarray(start, end));
  if (operation === undefined) throw new StorageError('INTERNAL', 'An operation was looked for where none is.');
  return operation;
}

/** What an operation says of a version, if it does. */
export function versionIn({ $case, value }: ChangeOperation): AddVersion | undefined {
  if ($case === 'addVersion') return value;
  return $case === 'moveVersion' ? value.version : undefined;
}

/** The same operation with another version. */
export function withVersion(operation: ChangeOperation, version: AddVersion): ChangeOperation {
  if (operation.$case !== 'moveVersion') return { $case: 'addVersion', value: version };
  return { $case: 'moveVersion', value: { ...operation.value, version } };
}

/** The version that an operation added or moved. */
export function decodeVersion(bytes: Uint8Array, place: PlacedOperation): AddVersion {
  const version = versionIn(decodeOperation(bytes, place));
  if (version === undefined) throw new StorageError('INTERNAL', 'A version was looked for where none is.');
  return version;
}
