import { setImmediate } from 'node:timers/promises';
import { idBytes, type VersionId } from '../../chunk/ids.js';
import { type AddVersion, Operation, type RemoveEntry } from '../../gen/shoal/v1/format.js';
import {
  COVERED_PER_PART,
  HEADS_PER_PART,
  MAX_CHANGE_BYTES,
  STATE_NODES_PER_TURN,
  VERSIONS_PER_REMOVAL,
} from '../../limits.js';
import { encodeDoom } from './dooms.js';
import { encodeKnowledge } from './knowledge.js';
import { type ChangeOperation, decodeOperation, withVersion } from './operation.js';
import type { ChangeStamp, Stamp } from './stamp.js';
import type { DumpPart, StampedOperation } from './state.js';
import type { Tree } from './tree.js';
import type { View } from './view.js';
import { readVersion, type ViewNode, type ViewVersion } from './view-node.js';

/** Of an operation in a state: tags, lengths, two numbers. */
const STAMP_BYTES = 14;
/** A counter, a hash, a peer's number. */
const ORIGIN_BYTES = 48;
/** An id and a name. */
const PEER_BYTES = 102;

/** What one part says, before it is numbered. */
export interface PartContent {
  readonly operations: readonly StampedOperation[];
  readonly covered: readonly string[];
  readonly heads: readonly ChangeStamp[];
  readonly missing: readonly string[];
  readonly through: string | undefined;
}

/** Gives a version's extents the names that they have in another database. */
export type MapVersion = (version: AddVersion) => Promise<AddVersion>;

const NOTHING: PartContent = { operations: [], covered: [], heads: [], missing: [], through: undefined };

/** First, before any node is looked at: what changes meanwhile is then not claimed, though it may be in the dump. */
export function* coverageParts({ covered, arrivals }: View): Generator<PartContent> {
  // Whoever reads this takes all before these for known.
  const { known: heads, missing } = arrivals;
  const short = covered.sort();
  const pages = Math.max(
    Math.ceil(short.length / COVERED_PER_PART),
    Math.ceil(heads.length / HEADS_PER_PART),
    Math.ceil(missing.length / HEADS_PER_PART),
  );
  const slice = <T>(items: readonly T[], size: number, page: number): T[] =>
    items.slice(page * size, (page + 1) * size);
  for (let page = 0; page < pages; page++) {
    // Both at their largest do not fit one part.
    yield { ...NOTHING, covered: slice(short, COVERED_PER_PART, page) };
    const some = { heads: slice(heads, HEADS_PER_PART, page), missing: slice(missing, HEADS_PER_PART, page) };
    if (some.heads.length + some.missing.length > 0) yield { ...NOTHING, ...some };
  }
}

function encode(operation: ChangeOperation): Uint8Array {
  return Operation.encode({ operation }).finish();
}

async function encodeVersion(version: ViewVersion, map: MapVersion | undefined): Promise<Uint8Array> {
  const bytes = version.page.subarray(version.start, version.end);
  if (map === undefined) return bytes;
  const added = readVersion(version);
  if (added.extentDocuments.length === 0) return bytes;
  return encode(withVersion(decodeOperation(version.page, version), await map(added)));
}

function encodePlace(tree: Tree, node: ViewNode): Uint8Array {
  const { id, claimed, name, folder, changedMs, trashedFrom = '' } = node;
  const seen = encodeKnowledge(tree.trashedBy(node) ?? new Map());
  const value = { node: idBytes(id), parent: idBytes(claimed?.id ?? ''), name, folder, changedMs, trashedFrom, seen };
  return encode({ $case: 'setEntry', value });
}

function encodeRemoval(node: string, says: Partial<RemoveEntry>): Uint8Array {
  const value = { versions: [], doom: undefined, seen: [], ...says, node: idBytes(node) };
  return encode({ $case: 'removeEntry', value });
}

function* removals(id: string, dropped: readonly VersionId[], stamp: Stamp): Generator<StampedOperation> {
  let at = 0;
  do {
    const versions = dropped.slice(at, at + VERSIONS_PER_REMOVAL).map(idBytes);
    yield { bytes: encodeRemoval(id, { versions }), stamp };
    at += VERSIONS_PER_REMOVAL;
  } while (at < dropped.length);
}

/** All that the view knows of a node: applied to any view that knows less, it knows as much. */
async function* operationsOf(
  tree: Tree,
  node: ViewNode,
  map: MapVersion | undefined,
): AsyncGenerator<StampedOperation> {
  if (node.set !== undefined) yield { bytes: encodePlace(tree, node), stamp: node.set };
  for (const version of node.versions) yield { bytes: await encodeVersion(version, map), stamp: version };
  if (node.removed !== undefined) yield* removals(node.id, [...(node.dropped ?? [])], node.removed);
  const doom = tree.dooms.of(node);
  if (doom !== undefined) yield { bytes: encodeRemoval(node.id, { doom: encodeDoom(doom) }), stamp: doom.stamp };
  if (node !== tree.trash) return;
  for (const { seen, stamp } of tree.dooms.answers()) {
    yield { bytes: encodeRemoval(node.id, { seen: encodeKnowledge(seen) }), stamp };
  }
}

/** Operations until they fill a document. */
class Filling {
  readonly operations: StampedOperation[] = [];
  readonly #changes = new Set<ChangeStamp>();
  readonly #peers = new Set<string>();
  #bytes = 0;

  /** @returns false when it would not fit any more */
  add(operation: StampedOperation): boolean {
    const { change } = operation.stamp;
    const origin = this.#changes.has(change) ? 0 : ORIGIN_BYTES;
    const peer = this.#peers.has(change.peer) ? 0 : PEER_BYTES;
    const size = operation.bytes.length + STAMP_BYTES + origin + peer;
    if (this.operations.length > 0 && this.#bytes + size > MAX_CHANGE_BYTES) return false;
    this.#changes.add(change);
    this.#peers.add(change.peer);
    this.#bytes += size;
    this.operations.push(operation);
    return true;
  }
}

/**
 * The nodes in order of id. What changes while this runs may be in or not: what it says of a node is at least what was
 * known when it began.
 *
 * @param after begin behind this node
 */
export async function* nodeParts(
  view: View,
  options: { readonly after: string; readonly map: MapVersion | undefined; readonly passed: (nodes: number) => void },
): AsyncGenerator<PartContent> {
  const ids = [...view.tree.nodes()].map(({ id }) => id).filter((id) => id > options.after);
  let filling = new Filling();
  let through: string | undefined;
  for (const [index, id] of ids.sort().entries()) {
    const node = view.tree.node(id);
    if (index % STATE_NODES_PER_TURN === 0) await setImmediate();
    if (node === undefined) continue;
    for await (const operation of operationsOf(view.tree, node, options.map)) {
      if (filling.add(operation)) continue;
      yield { ...NOTHING, operations: filling.operations, through };
      filling = new Filling();
      filling.add(operation);
    }
    through = id;
    options.passed(index + 1);
  }
  yield { ...NOTHING, operations: filling.operations, through };
}

/** The fields that number a part. */
export type PartFrame = Pick<DumpPart, 'dump' | 'part' | 'parts' | 'base'>;
