import { StorageError } from '../../errors.js';
import type { Entry, VersionSummary } from '../catalog.js';
import { joinPath, formatPath, parsePath } from '../path.js';
import type { Tree } from './tree.js';
import { isFolder, type ViewNode } from './view-node.js';

/** Folders have no permissions of their own. */
const FOLDER_MODE = 0o755;

/** A node and the path that it was found under. */
export interface Found {
  readonly node: ViewNode;
  readonly path: string;
}

/** @returns undefined when there is nothing at `path` */
export function find(tree: Tree, path: string): Found | undefined {
  const names = parsePath(path);
  let node: ViewNode | undefined = tree.root;
  for (const name of names) {
    node = tree.child(node, name);
    if (node === undefined) return undefined;
  }
  return { node, path: formatPath(names) };
}

/** @throws StorageError NOT_FOUND */
export function demand(tree: Tree, path: string): Found {
  const found = find(tree, path);
  if (found === undefined) throw new StorageError('NOT_FOUND', `There is nothing at ${path}.`);
  return found;
}

/** @throws StorageError NOT_FOUND, CONFLICT for a folder */
export function demandFile(tree: Tree, path: string): ViewNode {
  const { node } = demand(tree, path);
  if (isFolder(node)) throw new StorageError('CONFLICT', `${path} is a folder, not a file.`);
  return node;
}

export function entryOf({ node, path }: Found): Entry {
  const [newest] = node.versions;
  if (newest === undefined || isFolder(node)) {
    return { path, type: 'folder', bytes: 0, modifiedMs: node.changedMs, mode: FOLDER_MODE };
  }
  const { id, bytes, modifiedMs, mode, moved } = newest;
  const entry: Entry = { path, type: 'file', bytes, modifiedMs, mode, version: id };
  return moved === undefined ? entry : { ...entry, moved: `${String(moved.counter)}-${moved.peer.slice(0, 8)}` };
}

/** By name, in the order of UTF-16 code units: the same everywhere. */
function sortedChildren(tree: Tree, folder: Found): Found[] {
  return [...tree.children(folder.node)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, node]) => ({ node, path: joinPath(folder.path, name) }));
}

/** What lies in a folder, by name; with `recursive` everything below it, parents first. A file lists itself. */
export function listEntries(tree: Tree, start: Found, recursive: boolean): Entry[] {
  if (!isFolder(start.node)) return [entryOf(start)];
  const entries: Entry[] = [];
  const ahead = sortedChildren(tree, start).reverse();
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    entries.push(entryOf(next));
    if (!recursive || !isFolder(next.node)) continue;
    for (const child of sortedChildren(tree, next).reverse()) ahead.push(child);
  }
  return entries;
}

export function summarize(node: ViewNode): VersionSummary[] {
  return node.versions.map(({ id, bytes, modifiedMs, createdMs }, index) => {
    return { version: id, bytes, modifiedMs, createdMs, current: index === 0 };
  });
}
