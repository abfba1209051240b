import { type BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { toHex } from '../../bytes.js';
import { ID_BYTES, type PeerId, SHORT_ID_BYTES } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { State, type StateOrigin } from '../../gen/shoal/v1/format.js';
import { COVERED_ID_BYTES, MAX_PEER_NAME_BYTES } from '../../limits.js';
import { OPERATION_TAG, readHash } from './change.js';
import { decodeSigned, demandSense, type PlacedOperation, readOperation } from './operation.js';
import type { ChangeStamp, Stamp } from './stamp.js';

/** Tags of StateOperation: operation (length-delimited), origin and index (varint). */
const INNER_TAG = 0x0a;
const ORIGIN_TAG = 0x10;
const INDEX_TAG = 0x18;

/** An operation that was written before, under the stamp that it was written with. */
export interface StampedOperation {
  /** The encoded Operation. */
  readonly bytes: Uint8Array;
  readonly stamp: Stamp;
}

export interface PlacedStampedOperation {
  readonly placed: PlacedOperation;
  readonly stamp: Stamp;
}

/** The newest change of a peer. */
export type Head = ChangeStamp;

/** What a part says about the dump that it belongs to. */
export interface DumpPart {
  readonly dump: string;
  readonly part: number;
  /** In the last part: how many there are. */
  readonly parts: number | undefined;
  /** The dump begins a generation: what it says stands nowhere else in the database. */
  readonly base: boolean;
  /** Short hashes of documents that the dump stands for, once it is whole. */
  readonly covered: readonly string[];
  readonly heads: readonly Head[];
  /** Hashes of changes that its writer knew of and never saw. */
  readonly missing: readonly string[];
  /** Node id: all nodes up to it, in order, are in this part and those before. */
  readonly through: string | undefined;
}

/** The plaintext of one state document, read. */
export interface StateText {
  readonly plain: Uint8Array;
  readonly operations: readonly PlacedStampedOperation[];
  readonly origin: string | undefined;
  readonly dump: DumpPart | undefined;
}

/** Numbers the peers and origins of one document. */
class Origins {
  readonly peers: State['peers'] = [];
  readonly origins: StateOrigin[] = [];
  readonly #peers = new Map<string, number>();
  readonly #origins = new Map<ChangeStamp, number>();

  indexOf(change: ChangeStamp): number {
    const known = this.#origins.get(change);
    if (known !== undefined) return known;
    this.#origins.set(change, this.origins.length);
    return this.origins.push(this.#encode(change)) - 1;
  }

  head(change: ChangeStamp): StateOrigin {
    return this.#encode(change);
  }

  #encode({ peer, peerName, counter, document }: ChangeStamp): StateOrigin {
    return { peer: this.#peerIndex(peer, peerName), counter, document: Buffer.from(document, 'hex') };
  }

  #peerIndex(id: PeerId, name: string): number {
    const key = `${id} ${name}`;
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    this.#peers.set(key, this.peers.length);
    return this.peers.push({ id: Buffer.from(id, 'hex'), name }) - 1;
  }
}

export function encodeState(operations: readonly StampedOperation[], dump: DumpPart): Uint8Array {
  const tables = new Origins();
  const writer = new BinaryWriter();
  for (const { bytes, stamp } of operations) {
    writer.uint32(OPERATION_TAG).fork();
    writer.uint32(INNER_TAG).bytes(bytes);
    writer.uint32(ORIGIN_TAG).uint32(tables.indexOf(stamp.change));
    writer.uint32(INDEX_TAG).uint32(stamp.index).join();
  }
  const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');
  const heads = dump.heads.map((head) => tables.head(head));
  const rest: State = {
    operations: [],
    origins: tables.origins,
    peers: tables.peers,
    origin: new Uint8Array(0),
    dump: hex(dump.dump),
    part: dump.part,
    parts: dump.parts ?? 0,
    base: dump.base,
    covered: hex(dump.covered.join('')),
    heads,
    missing: dump.missing.map(hex),
    through: hex(dump.through ?? ''),
  };
  return State.encode(rest, writer).finish();
}

interface RawOperation {
  readonly placed: PlacedOperation;
  readonly origin: number;
  readonly index: number;
}

function readStamped(reader: BinaryReader): RawOperation {
  const end = reader.uint32() + reader.pos;
  let placed: PlacedOperation | undefined;
  let [origin, index] = [0, 0];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === INNER_TAG) placed = readOperation(reader);
    else if (tag === ORIGIN_TAG) origin = reader.uint32();
    else if (tag === INDEX_TAG) index = reader.uint32();
    else
      throw new StorageError(
        'UNSUPPORTED',
        'The catalog was written to by a newer version of Shoal. Upgrade this one.',
      );
  }
  if (placed === undefined || reader.pos !== end) throw new Error('a state has an operation without content');
  return { placed, origin, index };
}

function readDump(state: State, heads: readonly Head[]): DumpPart | undefined {
  if (state.dump.length === 0) return undefined;
  const { part, parts, base, covered, missing, through } = state;
  demandSense(state.dump.length === SHORT_ID_BYTES && (parts === 0 || part === parts - 1));
  demandSense(covered.length % COVERED_ID_BYTES === 0 && (through.length === 0 || through.length === SHORT_ID_BYTES));
  demandSense(missing.every(({ length }) => length === ID_BYTES));
  const hex = toHex(covered);
  const digits = COVERED_ID_BYTES * 2;
  return {
    dump: toHex(state.dump),
    part,
    parts: parts === 0 ? undefined : parts,
    base,
    covered: Array.from({ length: hex.length / digits }, (_, at) => hex.slice(at * digits, (at + 1) * digits)),
    heads,
    missing: missing.map(toHex),
    through: through.length === 0 ? undefined : toHex(through),
  };
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error('a state refers to what is not in it');
  return item;
}

function readTables(state: State): { readonly stamps: readonly ChangeStamp[]; readonly heads: readonly Head[] } {
  demandSense(
    state.peers.every(({ id, name }) => id.length === ID_BYTES && Buffer.byteLength(name) <= MAX_PEER_NAME_BYTES),
  );
  const peers = state.peers.map(({ id, name }) => ({ peer: toHex(id) as PeerId, peerName: name }));
  const stampOf = ({ peer, counter, document }: StateOrigin): ChangeStamp => {
    demandSense(document.length === ID_BYTES && Number.isSafeInteger(counter));
    return { counter, document: toHex(document), ...at(peers, peer) };
  };
  return { stamps: state.origins.map(stampOf), heads: state.heads.map(stampOf) };
}

function read(plain: Uint8Array, reader: BinaryReader): StateText {
  const raw: RawOperation[] = [];
  while (plain[reader.pos] === OPERATION_TAG) {
    reader.uint32();
    raw.push(readStamped(reader));
  }
  const state = State.decode(plain.subarray(reader.pos));
  demandSense(state.operations.length === 0);
  const { stamps, heads } = readTables(state);
  const operations = raw.map(({ placed, origin, index }) => ({ placed, stamp: { change: at(stamps, origin), index } }));
  return { plain, operations, origin: readHash(state.origin), dump: readDump(state, heads) };
}

/** @throws StorageError CORRUPT, or UNSUPPORTED for an operation that this version does not know */
export function decodeState(plain: Uint8Array): StateText {
  return decodeSigned(plain, (reader) => read(plain, reader));
}
