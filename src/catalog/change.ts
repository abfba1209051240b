import { BinaryReader } from '@bufbuild/protobuf/wire';
import { toHex } from '../bytes.js';
import { ID_BYTES, SHORT_ID_BYTES } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { type AddVersion, Change, Operation, type RemoveEntry, type SetEntry } from '../gen/shoal/v1/format.js';
import { MAX_CHANGE_BYTES, MAX_COMMIT_PARTS } from '../limits.js';

/** Field 1 of Change, wire type 2 (length-delimited). */
const OPERATION_TAG = 0x0a;
/** Ids, sizes and times of any operation. */
const ENTRY_BYTES = 64;
/** A key, a stripe, three numbers. */
const EXTENT_BYTES = 84;
/** An id of 16 bytes, with its tag and length. */
const SHORT_ID_FIELD_BYTES = 18;
/** The id of an extents document, with its tag and length. */
const DOCUMENT_ID_FIELD_BYTES = 74;

export type ChangeOperation = NonNullable<Operation['operation']>;

/** An operation, and where its bytes lie in the plaintext of its document. */
export interface PlacedOperation {
  readonly operation: ChangeOperation;
  readonly start: number;
  readonly end: number;
}

/** Which piece of a commit a document is. A commit that fits one document has one part and no id. */
export interface CommitPart {
  readonly commit: string;
  readonly part: number;
  readonly parts: number;
}

/** The plaintext of one change document, read. */
export interface ChangeText {
  readonly plain: Uint8Array;
  readonly operations: readonly PlacedOperation[];
  readonly piece: CommitPart | undefined;
  /** The id of the change document that its peer wrote before. */
  readonly previous: string | undefined;
}

export const CHANGE_PREFIX = 'change-';

function encodePrevious(id: string | undefined): Uint8Array {
  return id === undefined ? new Uint8Array(0) : Buffer.from(id.slice(CHANGE_PREFIX.length), 'hex');
}

/** At least the bytes of an operation: exact sizes are not worth encoding everything twice. */
function sizeOf(operation: ChangeOperation): number {
  switch (operation.$case) {
    case 'setEntry':
      return ENTRY_BYTES + operation.value.name.length;
    case 'addVersion':
      return (
        ENTRY_BYTES +
        operation.value.extents.length * EXTENT_BYTES +
        operation.value.extentDocuments.length * DOCUMENT_ID_FIELD_BYTES
      );
    case 'removeEntry':
      return ENTRY_BYTES + operation.value.versions.length * SHORT_ID_FIELD_BYTES;
  }
}

/** In order, so that each group stays near MAX_CHANGE_BYTES; one operation alone may exceed it. */
function group(operations: readonly ChangeOperation[]): ChangeOperation[][] {
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

/**
 * The plaintexts of a commit's documents, in order; each asks for the id of the document before it when it is its turn.
 *
 * @param commit 16 random bytes
 * @throws StorageError LIMIT_EXCEEDED, before the first
 */
export function encodeChanges(
  operations: readonly ChangeOperation[],
  commit: Uint8Array,
): ((previous: string | undefined) => Uint8Array)[] {
  const groups = group(operations);
  const parts = groups.length;
  if (parts > MAX_COMMIT_PARTS) {
    throw new StorageError('LIMIT_EXCEEDED', 'That is too much for one step. Do it folder by folder.');
  }
  const alone = { commit: new Uint8Array(0), part: 0, parts: 0 };
  return groups.map((members, part) => (previous) => {
    const piece = parts === 1 ? alone : { commit, part, parts };
    const change = { operations: members.map((operation) => ({ operation })), previous: encodePrevious(previous) };
    return Change.encode({ ...change, ...piece }).finish();
  });
}

function demand(condition: boolean): void {
  if (!condition) {
    throw new StorageError('CORRUPT', 'A catalog change is signed by its owner but does not make sense.');
  }
}

function checkVersion(version: AddVersion): void {
  demand(version.file.length === SHORT_ID_BYTES && version.version.length === SHORT_ID_BYTES);
  demand(version.extents.every(({ key, stripe }) => key.length === ID_BYTES && stripe.length === ID_BYTES));
}

function checkEntry(entry: SetEntry): void {
  demand(entry.node.length === SHORT_ID_BYTES && entry.parent.length === SHORT_ID_BYTES && entry.name !== '');
}

function checkRemoval(removal: RemoveEntry): void {
  demand(removal.node.length === SHORT_ID_BYTES && removal.versions.every(({ length }) => length === SHORT_ID_BYTES));
}

function check(operation: ChangeOperation): void {
  switch (operation.$case) {
    case 'setEntry':
      checkEntry(operation.value);
      break;
    case 'addVersion':
      checkVersion(operation.value);
      break;
    case 'removeEntry':
      checkRemoval(operation.value);
  }
}

function readOperation(reader: BinaryReader): PlacedOperation {
  const length = reader.uint32();
  const start = reader.pos;
  const { operation } = Operation.decode(reader, length);
  if (operation === undefined) {
    throw new StorageError(
      'UNSUPPORTED',
      'A catalog change was written by a newer version of Shoal. Upgrade this one.',
    );
  }
  check(operation);
  return { operation, start, end: start + length };
}

function decode(plain: Uint8Array): ChangeText {
  const reader = new BinaryReader(plain);
  const operations: PlacedOperation[] = [];
  while (plain[reader.pos] === OPERATION_TAG) {
    reader.uint32();
    operations.push(readOperation(reader));
  }
  const { operations: stray, commit, part, parts, ...rest } = Change.decode(plain.subarray(reader.pos));
  demand(stray.length === 0 && (rest.previous.length === 0 || rest.previous.length === ID_BYTES));
  const previous = rest.previous.length === 0 ? undefined : CHANGE_PREFIX + toHex(rest.previous);
  if (parts <= 1) return { plain, operations, piece: undefined, previous };
  demand(commit.length === SHORT_ID_BYTES && part < parts && parts <= MAX_COMMIT_PARTS);
  return { plain, operations, piece: { commit: toHex(commit), part, parts }, previous };
}

/** @throws StorageError CORRUPT, or UNSUPPORTED for an operation that this version does not know */
export function decodeChange(plain: Uint8Array): ChangeText {
  try {
    return decode(plain);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('CORRUPT', 'A catalog change could not be read.', { cause: error });
  }
}

/** The version that an operation added, read again from the plaintext of its document. */
export function decodeVersion(plain: Uint8Array, start: number, end: number): AddVersion {
  const { operation } = Operation.decode(plain.subarray(start, end));
  if (operation?.$case !== 'addVersion') throw new StorageError('INTERNAL', 'A version was looked for where none is.');
  return operation.value;
}
