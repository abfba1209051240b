import type { VersionId } from '../../chunk/ids.js';
import { decodeVersion } from './operation.js';
import type { AddVersion } from '../../gen/shoal/v1/format.js';
import { compareStamps, type Stamp } from './stamp.js';
import type { VersionMove } from './version-move.js';
import type { VersionText } from './version-texts.js';

/** One version of a file in memory: what listings need, its first stamp, and where the rest lies, still encoded. */
export interface ViewVersion extends Stamp, VersionText {
  readonly id: VersionId;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly createdMs: number;
  readonly mode: number;
  /** When its bytes were stored anew; undefined: they lie where its put stored them. */
  readonly moved: VersionMove | undefined;
}

/** A file or folder, alive or not. */
export interface ViewNode {
  /** 32 hex digits. */
  readonly id: string;
  name: string;
  folder: boolean;
  /** Where the newest SetEntry puts it; undefined for the root alone. */
  claimed: ViewNode | undefined;
  /** Where it is shown: `claimed`, but for a folder that was moved into itself. */
  parent: ViewNode | undefined;
  /** It is among its parent's children. */
  shown: boolean;
  set: Stamp | undefined;
  removed: Stamp | undefined;
  changedMs: number;
  /** In the trash: the path that it had. */
  trashedFrom: string | undefined;
  /** Newest first. */
  versions: readonly ViewVersion[];
  /** Versions that were removed, so that they stay so in whatever order changes arrive. */
  dropped: Set<VersionId> | undefined;
  /** Shown children by name. Several, newest first, when peers that were apart used one name. */
  children: Map<string, ViewNode | readonly ViewNode[]> | undefined;
  /** The names that several children share. */
  shared: Set<string> | undefined;
  /** What of them is shown under a conflict name, by that name; undefined when that has to be worked out again. */
  conflicts: ReadonlyMap<string, ViewNode> | undefined;
}

const NO_VERSIONS: readonly ViewVersion[] = [];

export function newNode(id: string, name: string, claimed: ViewNode | undefined): ViewNode {
  return {
    id,
    name,
    folder: false,
    claimed,
    parent: claimed,
    shown: false,
    set: undefined,
    removed: undefined,
    changedMs: 0,
    trashedFrom: undefined,
    versions: NO_VERSIONS,
    dropped: undefined,
    children: undefined,
    shared: undefined,
    conflicts: undefined,
  };
}

/**
 * A file lives as long as it has a version. A folder lives until it is removed, and after that for as long as something in
 * it does: what another peer wrote into it meanwhile is not lost.
 */
export function isAlive(node: ViewNode): boolean {
  if (node.versions.length > 0 || (node.children?.size ?? 0) > 0) return true;
  if (!node.folder || node.set === undefined) return false;
  return node.removed === undefined || compareStamps(node.set, node.removed) > 0;
}

export function isFolder(node: ViewNode): boolean {
  return node.folder || node.versions.length === 0;
}

/** Negative when `a` is the older; nodes without a SetEntry are the oldest. */
export function compareNodes(a: ViewNode, b: ViewNode): number {
  if (a.set !== undefined && b.set !== undefined) return compareStamps(a.set, b.set);
  if (a.set === undefined && b.set === undefined) return a.id < b.id ? -1 : 1;
  return a.set === undefined ? -1 : 1;
}

export function readVersion(version: ViewVersion): AddVersion {
  return decodeVersion(version.page, version);
}
