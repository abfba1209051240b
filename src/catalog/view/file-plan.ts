import { idBytes, type VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { Attributes } from '../catalog.js';
import { find } from './lookup.js';
import type { ChangeOperation } from './operation.js';
import type { Tree } from './tree.js';
import { removals } from './tree-plan.js';
import { isFolder, readVersion, type ViewNode, type ViewVersion } from './view-node.js';

/** The same bytes as a version of its own: the id of a version stands for all that is said of it. */
function copyOf(
  version: ViewVersion,
  into: ViewNode,
  changes: { readonly id: VersionId } & Attributes,
): ChangeOperation {
  const { id, ...attributes } = changes;
  const value = { ...readVersion(version), ...attributes, file: idBytes(into.id), version: idBytes(id) };
  return { $case: 'addVersion', value };
}

/** @returns the operations that give the newest version another time or mode; none when it has them */
export function planAttributes(node: ViewNode, attributes: Attributes, id: VersionId): ChangeOperation[] {
  const [newest] = node.versions;
  if (newest === undefined || isFolder(node)) return [];
  const { modifiedMs = newest.modifiedMs, mode = newest.mode } = attributes;
  if (modifiedMs === newest.modifiedMs && mode === newest.mode) return [];
  const dropped = { node: idBytes(node.id), versions: [idBytes(newest.id)], doom: undefined, seen: [] };
  return [copyOf(newest, node, { id, modifiedMs, mode }), { $case: 'removeEntry', value: dropped }];
}

/** The files when a move would put one over another; undefined when there is nothing to be replaced. */
export function replacement(tree: Tree, from: string, to: string): { source: ViewNode; target: ViewNode } | undefined {
  const source = find(tree, from)?.node;
  const target = find(tree, to)?.node;
  if (source === undefined || target === undefined || source === target) return undefined;
  if (isFolder(source) || isFolder(target)) {
    const which = isFolder(target) ? to : from;
    throw new StorageError('CONFLICT', `${which} is a folder, and only a file replaces a file.`);
  }
  return { source, target };
}

/** What the source has become the newest versions of the target, in their order, and the source is no more. */
export function planReplacement(
  { source, target }: { readonly source: ViewNode; readonly target: ViewNode },
  newId: () => VersionId,
): ChangeOperation[] {
  const copies = source.versions.toReversed().map((version) => copyOf(version, target, { id: newId() }));
  return [...copies, ...removals(source)];
}
