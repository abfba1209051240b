import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { toHex } from '../../bytes.js';
import { ID_BYTES, SHORT_ID_BYTES } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { Change } from '../../gen/shoal/v1/format.js';
import { MAX_COMMIT_PARTS, MAX_PEER_NAME_BYTES } from '../../limits.js';
import { hashOf } from './document-id.js';
import {
  type ChangeOperation,
  decodeSigned,
  demandSense,
  groupOperations,
  type PlacedOperation,
  readOperation,
} from './operation.js';

/** Field 1 of Change and of State, wire type 2 (length-delimited). */
export const OPERATION_TAG = 0x0a;

const NO_BYTES = new Uint8Array(0);

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
  /** Hash of the change that its peer wrote before. */
  readonly previous: string | undefined;
  /** What its peer is called. */
  readonly peerName: string;
  /** Hash that the change first had; undefined when this is its first document. */
  readonly origin: string | undefined;
}

/** What every document of a commit says beside its operations. */
export interface ChangeFrame {
  /** 16 random bytes. */
  readonly commit: Uint8Array;
  readonly peerName: string;
}

/**
 * The plaintexts of a commit's documents, in order; each asks for the id of the document before it when it is its turn.
 *
 * @throws StorageError LIMIT_EXCEEDED, before the first
 */
export function encodeChanges(
  operations: readonly ChangeOperation[],
  frame: ChangeFrame,
): ((previous: string | undefined) => Uint8Array)[] {
  const groups = groupOperations(operations);
  const parts = groups.length;
  if (parts > MAX_COMMIT_PARTS) {
    throw new StorageError('LIMIT_EXCEEDED', 'That is too much for one step. Do it folder by folder.');
  }
  const { peerName } = frame;
  return groups.map((members, part) => (previous) => {
    const piece = parts === 1 ? { commit: NO_BYTES, part: 0, parts: 0 } : { commit: frame.commit, part, parts };
    const hash = previous === undefined ? NO_BYTES : Buffer.from(hashOf(previous), 'hex');
    const change = { operations: members.map((operation) => ({ operation })), previous: hash };
    return Change.encode({ ...change, ...piece, peerName, origin: NO_BYTES }).finish();
  });
}

/** @returns undefined when the field is absent */
export function readHash(field: Uint8Array): string | undefined {
  demandSense(field.length === 0 || field.length === ID_BYTES);
  return field.length === 0 ? undefined : toHex(field);
}

function read(plain: Uint8Array, reader: BinaryReader): ChangeText {
  const operations: PlacedOperation[] = [];
  while (plain[reader.pos] === OPERATION_TAG) {
    reader.uint32();
    operations.push(readOperation(reader));
  }
  const { operations: stray, commit, part, parts, ...rest } = Change.decode(plain.subarray(reader.pos));
  demandSense(stray.length === 0 && Buffer.byteLength(rest.peerName) <= MAX_PEER_NAME_BYTES);
  const { peerName } = rest;
  const text = { plain, operations, previous: readHash(rest.previous), peerName, origin: readHash(rest.origin) };
  if (parts <= 1) return { ...text, piece: undefined };
  demandSense(commit.length === SHORT_ID_BYTES && part < parts && parts <= MAX_COMMIT_PARTS);
  return { ...text, piece: { commit: toHex(commit), part, parts } };
}

/** @throws StorageError CORRUPT, or UNSUPPORTED for an operation that this version does not know */
export function decodeChange(plain: Uint8Array): ChangeText {
  return decodeSigned(plain, (reader) => read(plain, reader));
}
