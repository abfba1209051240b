import { idBytes } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { MAX_PATH_BYTES, VERSIONS_PER_REMOVAL } from '../../limits.js';
import type { ChangeOperation } from './operation.js';
import { encodeKnowledge, type Knowledge } from './knowledge.js';
import { demand, find, type Found } from './lookup.js';
import { formatPath, parsePath } from '../path.js';
import { TRASH_ID, type Tree } from './tree.js';
import { isFolder, type ViewNode, type ViewVersion } from './view-node.js';

function isWithin(node: ViewNode, folder: ViewNode): boolean {
  for (let at: ViewNode | undefined = node; at !== undefined; at = at.parent) if (at === folder) return true;
  return false;
}

/** Bytes of the longest path below a node, from behind its own name. */
export function longestBelow(tree: Tree, start: ViewNode): number {
  let longest = 0;
  const ahead: (readonly [node: ViewNode, bytes: number])[] = [[start, 0]];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const [node, bytes] = next;
    longest = Math.max(longest, bytes);
    for (const [name, child] of tree.children(node)) ahead.push([child, bytes + 1 + Buffer.byteLength(name)]);
  }
  return longest;
}

function demandParent(tree: Tree, path: string, names: readonly string[]): ViewNode {
  const parentPath = formatPath(names.slice(0, -1));
  const parent = find(tree, parentPath)?.node;
  if (parent === undefined) throw new StorageError('NOT_FOUND', `There is no folder ${parentPath} to move into.`);
  if (!isFolder(parent)) throw new StorageError('CONFLICT', `${parentPath} is a file, so ${path} cannot lie in it.`);
  return parent;
}

/** @returns the operations that move `from` to `to`; none when both are the same */
export function planMove(tree: Tree, from: string, to: string, nowMs: number): ChangeOperation[] {
  const { node, path } = demand(tree, from);
  const names = parsePath(to);
  const name = names.at(-1);
  if (node === tree.root) throw new StorageError('INVALID_ARGUMENT', 'The root folder "/" cannot be moved.');
  if (name === undefined) throw new StorageError('ALREADY_EXISTS', 'The root folder "/" is there already.');
  const target = formatPath(names);
  if (target === path) return [];
  const parent = demandParent(tree, target, names);
  if (isWithin(parent, node)) throw new StorageError('INVALID_ARGUMENT', `${from} cannot be moved into itself.`);
  if (tree.child(parent, name) !== undefined) {
    throw new StorageError('ALREADY_EXISTS', `There is something at ${target} already. Remove it first.`);
  }
  const folder = isFolder(node);
  if (Buffer.byteLength(target) + longestBelow(tree, node) > MAX_PATH_BYTES) {
    throw new StorageError('INVALID_ARGUMENT', `Below ${target} some paths would be too long.`);
  }
  const value = {
    node: idBytes(node.id),
    parent: idBytes(parent.id),
    name,
    folder,
    changedMs: nowMs,
    trashedFrom: '',
    seen: [],
  };
  return [{ $case: 'setEntry', value }];
}

/** Several for a file with very many versions, so that each fits a document. */
export function* removals({ id, versions }: ViewNode): Generator<ChangeOperation> {
  let at = 0;
  do {
    const slice = versions.slice(at, at + VERSIONS_PER_REMOVAL).map((version) => idBytes(version.id));
    yield { $case: 'removeEntry', value: { node: idBytes(id), versions: slice, doom: undefined, seen: [] } };
    at += VERSIONS_PER_REMOVAL;
  } while (at < versions.length);
}

export interface PlannedRemoval {
  readonly operations: readonly ChangeOperation[];
  readonly files: number;
  readonly versions: readonly ViewVersion[];
}

/** A node with all that lies in it, for ever. */
export function planRemoval(tree: Tree, start: ViewNode): PlannedRemoval {
  const operations: ChangeOperation[] = [];
  const versions: ViewVersion[] = [];
  let files = 0;
  const ahead = [start];
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    if (!isFolder(node)) files++;
    for (const version of node.versions) versions.push(version);
    for (const removal of removals(node)) operations.push(removal);
    for (const [, child] of tree.children(node)) ahead.push(child);
  }
  return { operations, files, versions };
}

/** @throws StorageError NOT_FOUND; CONFLICT for a folder with something in it, without `recursive` */
export function demandRemovable(tree: Tree, path: string, recursive: boolean): Found {
  const found = demand(tree, path);
  if (found.node === tree.root) throw new StorageError('INVALID_ARGUMENT', 'The root folder "/" cannot be removed.');
  if (!recursive && (found.node.children?.size ?? 0) > 0) {
    throw new StorageError('CONFLICT', `${path} is not empty. Remove it recursively to remove what is in it.`);
  }
  return found;
}

/** Into the trash, with all that lies in it, in one operation. @param seen what is known here */
export function planTrash({ node, path }: Found, nowMs: number, seen: Knowledge): ChangeOperation {
  const where = { parent: idBytes(TRASH_ID), name: node.id, trashedFrom: path, seen: encodeKnowledge(seen) };
  const value = { node: idBytes(node.id), ...where, folder: isFolder(node), changedMs: nowMs };
  return { $case: 'setEntry', value };
}
