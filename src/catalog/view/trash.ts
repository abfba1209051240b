import { formatPath, isWithinPath, joinPath, parsePath } from '../path.js';
import { knows } from './knowledge.js';
import type { Tree } from './tree.js';
import { isFolder, type ViewNode } from './view-node.js';

/** Something that was removed and can be taken back. */
export interface Trashed {
  readonly node: ViewNode;
  /** Where it was. */
  readonly path: string;
}

/** What a folder holds, or a file is. */
interface Contents {
  readonly files: number;
  readonly bytes: number;
  /** The last that anybody did to it, by the clocks of those who did. */
  readonly touchedMs: number;
}

export function contentsOf(tree: Tree, start: ViewNode): Contents {
  let [files, bytes, touchedMs] = [0, 0, start.changedMs];
  const ahead = [start];
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    const [newest] = node.versions;
    if (newest !== undefined) {
      files++;
      bytes += newest.bytes;
      touchedMs = Math.max(touchedMs, newest.createdMs);
    }
    for (const [, child] of tree.children(node)) ahead.push(child);
  }
  return { files, bytes, touchedMs };
}

/** What lies in the trash, by path, of each path the newest first. */
export function trashedIn(tree: Tree): Trashed[] {
  const items = [...tree.children(tree.trash)].map(([name, node]) => ({ node, path: node.trashedFrom ?? `/${name}` }));
  return items.sort(
    (a, b) => compare(a.path, b.path) || b.node.changedMs - a.node.changedMs || compare(a.node.id, b.node.id),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is shown at `path` from the folder `top` that was at `from`. */
function below(tree: Tree, { node: top, path: from }: Trashed, path: string): ViewNode | undefined {
  const names = parsePath(path).slice(parsePath(from).length);
  let node: ViewNode | undefined = top;
  for (const name of names) node = node && tree.child(node, name);
  return node;
}

/** What was removed at this path last, by itself or with a folder above it. */
export function findTrashed(tree: Tree, path: string): Trashed | undefined {
  const wanted = formatPath(parsePath(path));
  const found: Trashed[] = [];
  const deleted = new Map<Trashed, number>();
  for (const item of trashedIn(tree)) {
    if (!isWithinPath(wanted, item.path)) continue;
    const node = below(tree, item, wanted);
    if (node === undefined) continue;
    const hit = { node, path: wanted };
    deleted.set(hit, item.node.changedMs);
    found.push(hit);
  }
  return found.sort((a, b) => (deleted.get(b) ?? 0) - (deleted.get(a) ?? 0))[0];
}

/** What was put there, and nobody has written into since, before `untilMs`. */
export function untouchedSince(tree: Tree, untilMs: number): ViewNode[] {
  // What was removed later than that need not be walked through: this is asked every few seconds.
  const old = trashedIn(tree).filter(({ node }) => node.changedMs <= untilMs);
  const due = old.filter(({ node }) => contentsOf(tree, node).touchedMs <= untilMs);
  return due.map(({ node }) => node);
}

/**
 * What was placed in a folder by somebody who did not know that it was in the trash, and the path that it would have. Who
 * changes a file that is removed elsewhere finds it in the trash, in its new version.
 */
export function newcomersInTrash(tree: Tree): Trashed[] {
  const found: Trashed[] = [];
  for (const { node: top, path } of trashedIn(tree)) {
    const seen = tree.trashedBy(top);
    if (seen === undefined) continue;
    const ahead: Trashed[] = [{ node: top, path }];
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      const { node } = next;
      if (node !== top && node.set !== undefined && !knows(seen, node.set.change)) found.push(next);
      else
        for (const [name, child] of tree.children(node)) ahead.push({ node: child, path: joinPath(next.path, name) });
    }
  }
  return found;
}

/** A file has versions; a folder may be gone and shown for what is in it. */
export function typeOf(node: ViewNode): 'file' | 'folder' {
  return isFolder(node) ? 'folder' : 'file';
}
