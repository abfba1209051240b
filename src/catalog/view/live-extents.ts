import { setImmediate } from 'node:timers/promises';
import { toHex } from '../../bytes.js';
import type { FileId, StripeId } from '../../chunk/ids.js';
import { STATE_NODES_PER_TURN } from '../../limits.js';
import type { LiveExtent, LiveStripe, LiveVersion } from '../compaction.js';
import { formatPath } from '../path.js';
import { decodeExtent } from './manifest.js';
import type { Tree } from './tree.js';
import type { View } from './view.js';
import { readVersion, type ViewNode, type ViewVersion } from './view-node.js';

/** With turns for others in between: what changes meanwhile is seen or not. */
async function* versionsOf({ tree }: View): AsyncGenerator<readonly [node: ViewNode, version: ViewVersion]> {
  let passed = 0;
  for (const node of tree.nodes()) {
    if (++passed % STATE_NODES_PER_TURN === 0) await setImmediate();
    for (const version of node.versions) yield [node, version];
  }
}

/**
 * How much of each stripe versions refer to, in ascending order of stripes. Left out are those that a version refers to which
 * is not to be moved: one that is to be removed for ever, or one of very many extents.
 *
 * @param view of which the large versions are counted
 */
export async function liveStripesOf(view: View): Promise<LiveStripe[]> {
  const { tree } = view;
  const live = new Map<StripeId, Map<number, number>>();
  const left = new Set<StripeId>();
  for await (const [node, version] of versionsOf(view)) {
    if (node.claimed === tree.moved) continue;
    const { extents, extentDocuments } = readVersion(version);
    if (extentDocuments.length > 0 || tree.isDoomed(node)) for (const stripe of view.stripes(version)) left.add(stripe);
    for (const { stripe, offset, sealedBytes } of extents) {
      const id = toHex(stripe) as StripeId;
      const known = live.get(id);
      // Versions may share an extent.
      if (known === undefined) live.set(id, new Map([[offset, sealedBytes]]));
      else known.set(offset, sealedBytes);
    }
  }
  return [...live]
    .filter(([stripe]) => !left.has(stripe))
    .map(([stripe, extents]) => ({ stripe, bytes: [...extents.values()].reduce((sum, bytes) => sum + bytes, 0) }))
    .sort((a, b) => (a.stripe < b.stripe ? -1 : 1));
}

/** What versions refer to in these stripes, as far as it may be moved. */
export async function liveExtentsOf(view: View, stripes: ReadonlySet<StripeId>): Promise<LiveExtent[]> {
  const { tree } = view;
  const found: LiveExtent[] = [];
  for await (const [node, version] of versionsOf(view)) {
    if (node.claimed === tree.moved || tree.isDoomed(node)) continue;
    const extents = readVersion(version).extents.map(decodeExtent);
    let fileOffset = 0;
    for (const [at, extent] of extents.entries()) {
      const last = at === extents.length - 1;
      if (stripes.has(extent.stripe)) found.push({ ...liveVersion(tree, node, version), fileOffset, last, extent });
      fileOffset += extent.bytes;
    }
  }
  return found;
}

/** Those of no bytes. */
export async function emptyVersionsOf(view: View): Promise<LiveVersion[]> {
  const { tree } = view;
  const found: LiveVersion[] = [];
  for await (const [node, version] of versionsOf(view)) {
    if (version.bytes > 0 || node.claimed === tree.moved || tree.isDoomed(node)) continue;
    found.push(liveVersion(tree, node, version));
  }
  return found;
}

function liveVersion(tree: Tree, node: ViewNode, { id, modifiedMs, createdMs, mode }: ViewVersion): LiveVersion {
  return { file: node.id as FileId, version: id, path: storedPath(tree, node), modifiedMs, createdMs, mode };
}

/** Where a node is, or was before it went into the trash. */
function storedPath(tree: Tree, node: ViewNode): string {
  const names: string[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) {
    if (at.parent === tree.trash && at.trashedFrom !== undefined)
      return at.trashedFrom + names.map((name) => `/${name}`).join('');
    names.unshift(at.name);
  }
  return formatPath(names);
}
