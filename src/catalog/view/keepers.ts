import type { StripeId } from '../../chunk/ids.js';
import { covers, type Knowledge } from './knowledge.js';
import { stripesOf } from './stripe-references.js';
import type { Tree } from './tree.js';
import type { View } from './view.js';
import { readVersion, type ViewNode } from './view-node.js';

/** What was so when the removal of a keeper was announced here. */
interface Announced {
  readonly seen: Knowledge;
  /** Of its stripes. */
  readonly touches: number;
}

/**
 * The nodes that keep the places of moves. One may be removed when nothing needs its stripe, and whoever could still take up
 * something there knows of all that has left it. So nothing may have come there, or left, since its removal was announced:
 * else, and where that is not known because it was announced elsewhere or before a restart, it is announced anew.
 * docs/decisions/0022
 */
export class Keepers {
  readonly #announced = new WeakMap<ViewNode, Announced>();
  readonly #stripes = new WeakMap<ViewNode, readonly StripeId[]>();

  /** Those whose stripes no version lies in. */
  unneeded(view: View): ViewNode[] {
    return keepersIn(view.tree).filter((node) => this.#stripesOf(node).every((stripe) => !view.isNeeded(stripe)));
  }

  /** @param seen what the announcement says that is known */
  announced(view: View, node: ViewNode, seen: Knowledge): void {
    this.#announced.set(node, { seen, touches: this.#touches(view, node) });
  }

  /** It was announced here, and nothing has come to its stripes, or left them, since. */
  isFresh(view: View, node: ViewNode): boolean {
    const announced = this.#announced.get(node);
    const doom = view.tree.dooms.of(node);
    if (announced === undefined || doom === undefined) return false;
    return covers(doom.seen, announced.seen) && announced.touches === this.#touches(view, node);
  }

  #touches(view: View, node: ViewNode): number {
    return this.#stripesOf(node).reduce((sum, stripe) => sum + view.touches(stripe), 0);
  }

  /** A keeper keeps what it keeps. */
  #stripesOf(node: ViewNode): readonly StripeId[] {
    const known = this.#stripes.get(node);
    if (known !== undefined) return known;
    const stripes = stripesIn(node);
    if (stripes.length > 0) this.#stripes.set(node, stripes);
    return stripes;
  }
}

/** Stripes of which there is a keeper whose removal is not announced. */
export function keptIn(tree: Tree): Set<StripeId> {
  return new Set([...tree.children(tree.moved)].flatMap(([, node]) => stripesIn(node)));
}

/** What is announced to be removed is hidden. */
function keepersIn(tree: Tree): ViewNode[] {
  const shown = [...tree.children(tree.moved)].map(([, node]) => node);
  const announced = tree.dooms.list().filter(([node]) => node.claimed === tree.moved);
  return [...shown, ...announced.map(([node]) => node)];
}

function stripesIn({ versions }: ViewNode): StripeId[] {
  return versions.flatMap((version) => stripesOf(readVersion(version).extents));
}
