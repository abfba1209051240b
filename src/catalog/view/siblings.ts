import { conflictName, type ConflictOrigin } from './conflict-name.js';
import { compareNodes, type ViewNode } from './view-node.js';

/** The shown children of a folder, several of which may claim one name: the newest has it. */
function claimants(folder: ViewNode, name: string): readonly ViewNode[] {
  const slot = folder.children?.get(name);
  if (slot === undefined) return [];
  return 'id' in slot ? [slot] : slot;
}

function fill(folder: ViewNode, name: string, nodes: readonly ViewNode[]): void {
  folder.children ??= new Map();
  const [first] = nodes;
  if (first === undefined) folder.children.delete(name);
  else folder.children.set(name, nodes.length === 1 ? first : nodes);
  if (nodes.length > 1) (folder.shared ??= new Set()).add(name);
  else folder.shared?.delete(name);
  folder.conflicts = undefined;
}

export function hang(node: ViewNode, folder: ViewNode): void {
  const others = claimants(folder, node.name);
  if (others.length === 0) {
    fill(folder, node.name, [node]);
    return;
  }
  const newer = others.findIndex((other) => compareNodes(other, node) < 0);
  const at = newer < 0 ? others.length : newer;
  fill(folder, node.name, [...others.slice(0, at), node, ...others.slice(at)]);
}

export function unhang(node: ViewNode, folder: ViewNode): void {
  const others = claimants(folder, node.name).filter((other) => other !== node);
  fill(folder, node.name, others);
}

function originOf({ set, changedMs, id }: ViewNode): ConflictOrigin {
  return { changedMs, peer: set?.change.peer ?? id, peerName: set?.change.peerName ?? '' };
}

/**
 * Names in their order, of each the oldest first: so what is there already keeps its conflict name when another comes. A
 * file may be called like a conflict by its owner's own will: then the conflict takes the next number.
 */
function nameConflicts(folder: ViewNode): ReadonlyMap<string, ViewNode> {
  const conflicts = new Map<string, ViewNode>();
  const numbers = new Map<string, number>();
  for (const shared of [...(folder.shared ?? [])].sort()) {
    for (const node of claimants(folder, shared).slice(1).reverse()) {
      const origin = originOf(node);
      const first = conflictName(shared, origin, 1);
      let number = numbers.get(first) ?? 1;
      let name = conflictName(shared, origin, number);
      while (folder.children?.has(name) === true || conflicts.has(name)) name = conflictName(shared, origin, ++number);
      numbers.set(first, number);
      conflicts.set(name, node);
    }
  }
  return conflicts;
}

function conflictsOf(folder: ViewNode): ReadonlyMap<string, ViewNode> {
  return (folder.conflicts ??= nameConflicts(folder));
}

/** @param name as it is shown */
export function childOf(folder: ViewNode, name: string): ViewNode | undefined {
  const [newest] = claimants(folder, name);
  if (newest !== undefined) return newest;
  return (folder.shared?.size ?? 0) > 0 ? conflictsOf(folder).get(name) : undefined;
}

/** With the names that they are shown under; in no order. */
export function* childrenOf(folder: ViewNode): Generator<readonly [name: string, node: ViewNode]> {
  for (const [name, slot] of folder.children ?? []) {
    const newest = 'id' in slot ? slot : slot[0];
    if (newest !== undefined) yield [name, newest];
  }
  if ((folder.shared?.size ?? 0) > 0) yield* conflictsOf(folder);
}
