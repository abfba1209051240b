import { toHex } from '../../bytes.js';
import { StorageError } from '../../errors.js';
import { type AddVersion, Change, ExtentList, State } from '../../gen/shoal/v1/format.js';
import { STATE_PAGE } from '../../limits.js';
import type { Document } from '../../documents/document-database.js';
import { decodeChange } from './change.js';
import { CHANGE_PREFIX, hashOf, isViewDocument } from './document-id.js';
import { versionIn, withVersion } from './operation.js';
import type { SealedDocument } from './sealed-document.js';
import { decodeState } from './state.js';
import type { StateProgress } from './state-writer.js';
import type { UserDocuments } from './user-documents.js';

const NO_BYTES = new Uint8Array(0);

/** Seals extents documents of one generation again in the next. Each is done once, and anew by whoever did not see it. */
export class ExtentsReseal {
  readonly #source: UserDocuments;
  readonly #target: UserDocuments;
  /** Hash there → hash here. */
  readonly #names = new Map<string, Uint8Array>();

  constructor(source: UserDocuments, target: UserDocuments) {
    this.#source = source;
    this.#target = target;
  }

  /** @throws StorageError UNAVAILABLE, CORRUPT when a document cannot be read where it comes from */
  async version(version: AddVersion): Promise<AddVersion> {
    const extentDocuments: Uint8Array[] = [];
    for (const hash of version.extentDocuments) extentDocuments.push(await this.#name(hash));
    return { ...version, extentDocuments };
  }

  async #name(hash: Uint8Array): Promise<Uint8Array> {
    const key = toHex(hash);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const { peer, counter, list } = await this.#source.extentsDocument(key);
    const documents: Uint8Array[] = [];
    for (const inner of list.documents) documents.push(await this.#name(inner));
    const plain = ExtentList.encode({ extents: list.extents, documents }).finish();
    const document = this.#target.reseal({ type: 'extents', peer, counter }, plain);
    await this.#target.write([document]);
    const name = Buffer.from(hashOf(document._id), 'hex');
    this.#names.set(key, name);
    return name;
  }
}

type Operations = Change['operations'];

async function mapOperations(operations: Operations, extents: ExtentsReseal): Promise<Operations> {
  const mapped: Operations = [];
  for (const each of operations) {
    const { operation } = each;
    const version = operation && versionIn(operation);
    if (operation === undefined || version === undefined || version.extentDocuments.length === 0) mapped.push(each);
    else mapped.push({ operation: withVersion(operation, await extents.version(version)) });
  }
  return mapped;
}

async function mapStamped(operations: State['operations'], extents: ExtentsReseal): Promise<State['operations']> {
  const inner = await mapOperations(
    operations.map(({ operation }) => operation ?? { operation: undefined }),
    extents,
  );
  return operations.map((each, index) => ({ ...each, operation: inner[index] }));
}

function originOf(origin: Uint8Array, hash: string): Uint8Array {
  return origin.length > 0 ? origin : Buffer.from(hash, 'hex');
}

/** Its operations keep their stamps: counter and peer are those it had, and `origin` says what it was called. */
async function resealChange(sealed: SealedDocument, target: UserDocuments, extents: ExtentsReseal): Promise<Document> {
  const change = Change.decode(sealed.plain);
  const operations = await mapOperations(change.operations, extents);
  const plain = Change.encode({ ...change, operations, origin: originOf(change.origin, sealed.hash) }).finish();
  return target.reseal(sealed, plain);
}

/** A part of a dump becomes a state by itself: what the whole dump stood for is not there, where it comes to. */
async function resealState(sealed: SealedDocument, target: UserDocuments, extents: ExtentsReseal): Promise<Document> {
  const { operations, origins, peers, origin } = State.decode(sealed.plain);
  const none = { dump: NO_BYTES, part: 0, parts: 0, base: false, covered: NO_BYTES, through: NO_BYTES };
  const state: State = {
    ...none,
    operations: await mapStamped(operations, extents),
    origins,
    peers,
    origin: originOf(origin, sealed.hash),
    heads: [],
    missing: [],
  };
  return target.reseal(sealed, State.encode(state).finish());
}

export interface BringOverOptions {
  /** Whether the target has it already, or a dump that stands for it. By hash. */
  readonly isKnown: (hash: string) => boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: StateProgress) => void | Promise<void>;
  /** Looks at these documents alone. Ids; others than of changes and states are passed over. */
  readonly ids?: Iterable<string>;
}

export interface BroughtOver {
  readonly documents: number;
  /**
   * Ids of documents that stayed behind, because extents that they name have not come yet or are damaged, or because a newer
   * version wrote them. What nobody believes is none of them: it is in no catalog, and would be waited for in vain.
   */
  readonly left: readonly string[];
}

/**
 * Brings what was written into a generation after its state was taken, or at a peer that was away, into the next one. May
 * be done by several peers and repeated: all make the same documents.
 *
 * @throws StorageError UNSUPPORTED for what a newer version wrote
 */
export async function bringOver(
  source: UserDocuments,
  target: UserDocuments,
  options: BringOverOptions,
): Promise<BroughtOver> {
  const ahead: string[] = [];
  for await (const id of options.ids ?? source.ids()) {
    if (isViewDocument(id) && !options.isKnown(hashOf(id))) ahead.push(id);
  }
  const extents = new ExtentsReseal(source, target);
  const left: string[] = [];
  let brought = 0;
  for (let at = 0; at < ahead.length; at += STATE_PAGE) {
    options.signal.throwIfAborted();
    const documents: Document[] = [];
    for (const id of ahead.slice(at, at + STATE_PAGE)) {
      const document = await resealed(id, source, target, extents);
      if (document === LEFT) left.push(id);
      else if (document !== REFUSED) documents.push(document);
    }
    // Keys are wiped when the work is called off: what was refused then says nothing.
    options.signal.throwIfAborted();
    await target.write(documents);
    brought += documents.length;
    await options.onProgress?.({ done: Math.min(at + STATE_PAGE, ahead.length), all: ahead.length });
  }
  return { documents: brought, left };
}

const LEFT = 'left';
const REFUSED = 'refused';

/** @throws StorageError UNSUPPORTED for what a newer version wrote: it would be lost on the way */
function makesSense(isChange: boolean, { plain }: SealedDocument): boolean {
  try {
    if (isChange) decodeChange(plain);
    else decodeState(plain);
    return true;
  } catch (error) {
    if (!StorageError.is(error, 'CORRUPT')) throw error;
    return false;
  }
}

async function resealed(
  id: string,
  source: UserDocuments,
  target: UserDocuments,
  extents: ExtentsReseal,
): Promise<Document | typeof LEFT | typeof REFUSED> {
  const isChange = id.startsWith(CHANGE_PREFIX);
  const sealed = await source.open(isChange ? 'change' : 'state', id);
  if (sealed === undefined) return source.isNewer ? LEFT : REFUSED;
  if (!makesSense(isChange, sealed)) return REFUSED;
  try {
    return await (isChange ? resealChange : resealState)(sealed, target, extents);
  } catch (error) {
    if (!StorageError.is(error, 'UNAVAILABLE', 'CORRUPT')) throw error;
    return LEFT;
  }
}
