import { assert } from '../../errors.js';
import { Dooms } from './dooms.js';
import type { Knowledge } from './knowledge.js';
import { childOf, childrenOf, hang, unhang } from './siblings.js';
import { compareStamps, type Stamp } from './stamp.js';
import { compareNodes, isAlive, newNode, type ViewNode } from './view-node.js';

/** The root folder: 16 zero bytes, never set and never removed. */
export const ROOT_ID = '0'.repeat(32);
/** Of the trash: 15 zero bytes and a one. As the root and the next it is never set or removed. */
export const TRASH_ID = `${'0'.repeat(31)}1`;
/** Of what was moved to other stripes: 15 zero bytes and a two. */
export const MOVED_ID = `${'0'.repeat(31)}2`;

/** Where a SetEntry puts a node. */
export interface Place {
  readonly parent: string;
  readonly name: string;
  readonly folder: boolean;
  readonly changedMs: number;
  /** In the trash: the path that it had. */
  readonly trashedFrom: string | undefined;
  /** In the trash: what its writer knew. */
  readonly seen?: Knowledge;
}

/**
 * The nodes of a user and how they hang together. A pure function of the newest SetEntry and RemoveEntry of every node and
 * of its versions, so it comes out the same in whatever order changes arrive:
 *
 * - Of several live nodes with one name in one folder the newest has the name; the others get a conflict name.
 * - Where moves made apart put folders into each other in a circle, the newest of them is shown in the root instead.
 * - What lies in a folder of which nothing is known (its change has not arrived, or was refused) is shown in a folder
 *   "recovered-…" in the root.
 */
export class Tree {
  readonly root: ViewNode = { ...newNode(ROOT_ID, '', undefined), folder: true, shown: true };
  /** The folder of what was removed and can be taken back; nothing leads there from the root. */
  readonly trash: ViewNode = { ...newNode(TRASH_ID, '', undefined), folder: true, shown: true };
  /** Its nodes refer to the stripes that versions lay in before they were moved; nothing leads there from the root. */
  readonly moved: ViewNode = { ...newNode(MOVED_ID, '', undefined), folder: true, shown: true };
  readonly dooms = new Dooms();
  /** What those knew who put something into the trash. */
  readonly #trashedBy = new Map<ViewNode, Knowledge>();
  readonly #nodes = new Map<string, ViewNode>([
    [ROOT_ID, this.root],
    [TRASH_ID, this.trash],
    [MOVED_ID, this.moved],
  ]);

  node(id: string): ViewNode | undefined {
    return this.#nodes.get(id);
  }

  /** The root, the trash, or the folder of what was moved. */
  isReserved(node: ViewNode): boolean {
    return node === this.root || node === this.trash || node === this.moved;
  }

  /** What the writer knew who put it into the trash. */
  trashedBy(node: ViewNode): Knowledge | undefined {
    return this.#trashedBy.get(node);
  }

  nodes(): Iterable<ViewNode> {
    return this.#nodes.values();
  }

  /** The node with this id, made when it was never heard of. */
  ensure(id: string): ViewNode {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const node = newNode(id, `recovered-${id.slice(0, 8)}`, this.root);
    this.#nodes.set(id, node);
    return node;
  }

  /** The newest wins; an older one changes nothing. */
  place(id: string, stamp: Stamp, place: Place): void {
    const node = this.ensure(id);
    if (this.isReserved(node) || (node.set !== undefined && compareStamps(stamp, node.set) <= 0)) return;
    const wasCircular = place.folder && this.#isCircular(node);
    this.#hide(node);
    node.set = stamp;
    node.name = place.name;
    node.folder = place.folder;
    node.changedMs = place.changedMs;
    node.trashedFrom = place.trashedFrom;
    if (place.seen === undefined) this.#trashedBy.delete(node);
    else this.#trashedBy.set(node, place.seen);
    node.claimed = this.ensure(place.parent);
    node.parent = node.claimed;
    this.settle(node);
    if (place.folder && (wasCircular || this.#isCircular(node))) this.#rebuild();
  }

  /** It lies in the trash, or in something that is to be removed for ever, or is that itself. */
  isBuried(node: ViewNode): boolean {
    for (let at: ViewNode | undefined = node; at !== undefined; at = at.parent) if (at === this.trash) return true;
    return this.isDoomed(node);
  }

  /** It lies in something that is to be removed for ever, or is that itself. */
  isDoomed(node: ViewNode): boolean {
    for (let at: ViewNode | undefined = node; at !== undefined; at = at.parent) if (this.dooms.has(at)) return true;
    return false;
  }

  /** Shows or hides a node, and the folders above it, after what decides about its life has changed. */
  settle(start: ViewNode): void {
    for (let node = start; node.parent !== undefined; node = node.parent) {
      const alive = isAlive(node) && !this.dooms.has(node);
      if (alive === node.shown) return;
      node.shown = alive;
      if (alive) hang(node, node.parent);
      else unhang(node, node.parent);
    }
  }

  /** @param name as it is shown */
  child(folder: ViewNode, name: string): ViewNode | undefined {
    return childOf(folder, name);
  }

  /** With the names that they are shown under; in no order. */
  children(folder: ViewNode): Iterable<readonly [name: string, node: ViewNode]> {
    return childrenOf(folder);
  }

  #hide(node: ViewNode): void {
    const { parent } = node;
    assert(parent !== undefined, 'the root is never hidden');
    if (!node.shown) return;
    node.shown = false;
    unhang(node, parent);
    this.settle(parent);
  }

  /** Whether a node claims to lie within itself. */
  #isCircular(node: ViewNode): boolean {
    const passed = new Set<ViewNode>();
    for (let at = node.claimed; at !== undefined && !passed.has(at); at = at.claimed) {
      if (at === node) return true;
      passed.add(at);
    }
    return false;
  }

  /** From the claims alone. Costs a walk over all nodes, but only peers that moved folders apart ever cause it. */
  #rebuild(): void {
    for (const node of this.#nodes.values()) {
      node.children = undefined;
      node.shared = undefined;
      node.conflicts = undefined;
      node.parent = node.claimed;
      node.shown = this.isReserved(node);
    }
    for (const node of this.#nodes.values()) {
      if (node.folder && this.#isNewestOfCircle(node)) node.parent = this.root;
    }
    for (const node of this.#nodes.values()) this.settle(node);
  }

  #isNewestOfCircle(node: ViewNode): boolean {
    if (!this.#isCircular(node)) return false;
    for (let at = node.claimed; at !== undefined && at !== node; at = at.claimed) {
      if (compareNodes(at, node) > 0) return false;
    }
    return true;
  }
}
