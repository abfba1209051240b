import { randomBytes } from 'node:crypto';
import { parseVersionId, SHORT_ID_BYTES, type VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { CommitPlan } from './commit-plan.js';
import { find } from './lookup.js';
import { findTrashed } from './trash.js';
import type { ViewNode, ViewVersion } from './view-node.js';
import type { View } from './view.js';

/** @throws StorageError NOT_FOUND */
export function lookUpVersion(node: ViewNode, path: string, wanted: VersionId | undefined): ViewVersion {
  const version = wanted === undefined ? node.versions[0] : node.versions.find(({ id }) => id === wanted);
  if (version === undefined) throw new StorageError('NOT_FOUND', `There is no such version of ${path}.`);
  return version;
}

export function newVersionId(): VersionId {
  return parseVersionId(randomBytes(SHORT_ID_BYTES));
}

/** @returns the path that it will have */
export function planRestore(view: View, plan: CommitPlan, path: string, version: VersionId | undefined): string {
  const { tree } = view;
  const live = find(tree, path);
  if (version !== undefined) {
    const found = live ?? findTrashed(tree, path);
    if (found === undefined) throw new StorageError('NOT_FOUND', `There is nothing at ${path}, nor was it removed.`);
    plan.restoreVersion(found.node, lookUpVersion(found.node, path, version), newVersionId());
    return live?.path ?? plan.takeBack(found.node, found.path);
  }
  const trashed = findTrashed(tree, path);
  if (trashed !== undefined) return plan.takeBack(trashed.node, trashed.path);
  if (live === undefined) throw new StorageError('NOT_FOUND', `Nothing that was removed can be restored at ${path}.`);
  throw new StorageError('ALREADY_EXISTS', `${path} is there. Say which version of it is to be the newest again.`);
}
