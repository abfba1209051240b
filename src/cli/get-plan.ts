import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { isName } from '../chunk/path.js';
import { StorageError } from '../errors.js';
import type { EntryReply } from '../gateways/http/api.js';
import { printable } from './printable.js';
import { baseName } from './remote-path.js';

/** What lies at one remote path that was asked for: itself, and for a folder everything below it. */
export interface RemoteTree {
  readonly root: Pick<EntryReply, 'path' | 'type'>;
  readonly entries: readonly EntryReply[];
}

export interface GetFile {
  readonly remote: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** The names below the target's place; none where the target is this file. */
  readonly names: readonly string[];
}

/** One thing that is to appear beside or in LOCAL. */
export interface GetTarget {
  /** Absolute local path. */
  readonly place: string;
  readonly type: 'file' | 'folder';
  readonly files: GetFile[];
  /** Names of the folders below the place, parents first. */
  readonly folders: (readonly string[])[];
}

export interface GetPlan {
  /** An existing local folder on the file system of all places: where the staging folder goes. */
  readonly parent: string;
  readonly targets: readonly GetTarget[];
}

/**
 * Where everything goes, by the rules of `cp -r`: into LOCAL when that is a folder or ends in "/", else to LOCAL itself.
 * Looks at the local disk, changes nothing.
 *
 * @throws StorageError PERMISSION_DENIED for a remote name that would leave LOCAL
 */
export function planGet(trees: readonly RemoteTree[], local: string): GetPlan {
  const there = statIfThere(local);
  if (there?.isDirectory() === true) return planInto(trees, realpathSync(local));
  const place = resolve(local);
  if (there !== undefined && (local.endsWith('/') || trees.length > 1 || trees[0]?.root.type === 'folder')) {
    throw new StorageError('ALREADY_EXISTS', `${local} is a file, not a folder: choose another place.`);
  }
  const parent = existingFolder(dirname(place));
  const own = join(parent, basename(place));
  const [first, ...others] = trees;
  const folder = local.endsWith('/');
  if (first === undefined || (others.length > 0 && !folder)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `${local} is not a folder yet: write "${local}/" to put several things into it.`,
    );
  }
  if (!folder || (others.length === 0 && first.root.type === 'folder'))
    return { parent, targets: [targetOf(first, own, [])] };
  return { parent, targets: [gather(trees, own)] };
}

function planInto(trees: readonly RemoteTree[], folder: string): GetPlan {
  const targets = trees.map((tree) => {
    const name = baseName(tree.root.path);
    return targetOf(tree, name === '' ? folder : join(folder, checkName(name)), []);
  });
  checkDistinct(targets.map((target) => target.place));
  return { parent: folder, targets };
}

/** A new folder that holds every tree under its own name. */
function gather(trees: readonly RemoteTree[], place: string): GetTarget {
  const names = trees.map((tree) => checkName(baseName(tree.root.path)));
  checkDistinct(names);
  const whole: GetTarget = { place, type: 'folder', files: [], folders: [] };
  trees.forEach((tree, index) => {
    const name = names[index] ?? '';
    if (tree.root.type === 'folder') whole.folders.push([name]);
    const part = targetOf(tree, place, [name]);
    whole.files.push(...part.files);
    whole.folders.push(...part.folders);
  });
  return whole;
}

function targetOf({ root, entries }: RemoteTree, place: string, prefix: readonly string[]): GetTarget {
  const target: GetTarget = { place, type: root.type, files: [], folders: [] };
  for (const entry of entries) {
    const names = [...prefix, ...namesBelow(root.path, entry.path)];
    if (entry.type === 'folder') {
      if (names.length > prefix.length) target.folders.push(names);
    } else {
      target.files.push({ remote: entry.path, bytes: entry.bytes, modifiedMs: Date.parse(entry.modified), names });
    }
  }
  return target;
}

/** Never trusted: the names come from a catalog that other machines write too. */
function namesBelow(root: string, path: string): string[] {
  if (path === root) return [];
  const start = root === '/' ? '/' : `${root}/`;
  if (!path.startsWith(start)) throw dangerous(path);
  return path.slice(start.length).split('/').map(checkName);
}

function checkName(name: string): string {
  if (!isName(name) || name.includes(sep)) throw dangerous(name);
  return name;
}

function dangerous(name: string): StorageError {
  return new StorageError(
    'PERMISSION_DENIED',
    `The remote name "${printable(name)}" could lead out of the local folder: nothing was fetched.`,
  );
}

function checkDistinct(places: readonly string[]): void {
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  if (twice !== undefined) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `Two of the remote paths would both become ${twice}: fetch them one after the other.`,
    );
  }
}

function existingFolder(folder: string): string {
  if (statIfThere(folder)?.isDirectory() === true) return realpathSync(folder);
  throw new StorageError('NOT_FOUND', `There is no folder ${folder} to put it into: make it first.`);
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // "file/": a path through something that is no folder; its parent is looked at next
  }
}

/** The thing itself, not what a link leads to. */
export function lookAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
