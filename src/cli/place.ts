import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { lookAt, type GetFile, type GetPlan, type GetTarget } from './get-plan.js';
import type { Staging } from './staging.js';

/**
 * Refuses what a get would not be allowed to place, before anything is fetched.
 *
 * @throws StorageError ALREADY_EXISTS for something in the way, PERMISSION_DENIED for a planted link
 */
export function checkPlaces(plan: GetPlan, force: boolean): void {
  for (const target of plan.targets) {
    if (target.type === 'file') checkFile(target.place, force);
    else if (lookAt(target.place) !== undefined) checkMerge(target, force);
  }
}

/** Fetched files by their remote path → where they wait in the staging folder. */
export type Fetched = ReadonlyMap<GetFile, string>;

/** Moves what was fetched to its place. A new folder appears whole, by one rename; files in an existing one, one by one. */
export function placeAll(plan: GetPlan, fetched: Fetched, staging: Staging, force: boolean): void {
  plan.targets.forEach((target, index) => {
    if (target.type === 'file') {
      const [file] = target.files;
      const staged = file === undefined ? undefined : fetched.get(file);
      if (staged !== undefined) placeFile(staged, target.place, force);
    } else if (lookAt(target.place) === undefined) {
      placeNewFolder(target, fetched, join(staging.path, `tree-${String(index)}`));
    } else merge(target, fetched, force);
  });
}

function checkMerge(target: GetTarget, force: boolean): void {
  const known = new Set<string>();
  checkFolder(target.place);
  for (const names of target.folders) checkFolders(target.place, names, known);
  for (const { names } of target.files) {
    checkFolders(target.place, names.slice(0, -1), known);
    checkFile(join(target.place, ...names), force);
  }
}

/** Each folder on the way must be a folder itself: a link would lead the file to where its maker wants it. */
function checkFolders(place: string, names: readonly string[], known: Set<string>): void {
  let folder = place;
  for (const name of names) {
    folder = join(folder, name);
    if (known.has(folder)) continue;
    checkFolder(folder);
    known.add(folder);
  }
}

function checkFolder(folder: string): void {
  const there = lookAt(folder);
  if (there === undefined || there.isDirectory()) return;
  if (there.isSymbolicLink()) {
    throw new StorageError(
      'PERMISSION_DENIED',
      `${folder} is a symbolic link: it is not written through. Remove it, or choose another place.`,
    );
  }
  throw new StorageError(
    'ALREADY_EXISTS',
    `${folder} is a file where a folder belongs: move it away, or choose another place.`,
  );
}

function checkFile(place: string, force: boolean): void {
  const there = lookAt(place);
  if (there === undefined) return;
  if (there.isDirectory()) {
    throw new StorageError(
      'ALREADY_EXISTS',
      `${place} is a folder where a file belongs: move it away, or choose another place.`,
    );
  }
  if (!force) throw inTheWay(place);
}

function inTheWay(place: string): StorageError {
  return new StorageError(
    'ALREADY_EXISTS',
    `${place} is there already: use --force to replace it, or choose another place.`,
  );
}

function placeNewFolder(target: GetTarget, fetched: Fetched, tree: string): void {
  mkdirSync(tree);
  for (const names of target.folders) mkdirSync(join(tree, ...names), { recursive: true });
  const made = new Set<string>();
  for (const file of target.files) {
    const staged = fetched.get(file);
    if (staged === undefined) continue;
    const folder = join(tree, ...file.names.slice(0, -1));
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    const place = join(tree, ...file.names);
    // The folder is our own, so this can only be a name that the file system takes for an earlier one ("A" and "a").
    if (lookAt(place) !== undefined) {
      throw new StorageError(
        'ALREADY_EXISTS',
        `This file system cannot tell ${file.remote} from another name beside it.`,
      );
    }
    renameSync(staged, place);
  }
  try {
    renameSync(tree, target.place);
  } catch (error) {
    throw wrapError(error, `Moving the folder to ${target.place}`);
  }
}

function merge(target: GetTarget, fetched: Fetched, force: boolean): void {
  const known = new Set<string>();
  for (const names of target.folders) makeFolders(target.place, names, known);
  for (const file of target.files) {
    const staged = fetched.get(file);
    if (staged === undefined) continue;
    makeFolders(target.place, file.names.slice(0, -1), known);
    placeFile(staged, join(target.place, ...file.names), force);
  }
}

/** Checks again while it makes them: fetching took a while. */
function makeFolders(place: string, names: readonly string[], known: Set<string>): void {
  let folder = place;
  for (const name of names) {
    folder = join(folder, name);
    if (known.has(folder)) continue;
    checkFolder(folder);
    mkdirSync(folder, { recursive: true });
    known.add(folder);
  }
}

/** File systems without hard links, and links that a hardened kernel refuses, answer with one of these. */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

function placeFile(staged: string, place: string, force: boolean): void {
  try {
    if (force) {
      if (lookAt(place) !== undefined) flush(staged);
      renameSync(staged, place);
    } else placeNewFile(staged, place);
  } catch (error) {
    throw wrapError(error, `Moving the file to ${place}`);
  }
}

/** A link fails where a rename would replace what another program has just put there. */
function placeNewFile(staged: string, place: string): void {
  try {
    linkSync(staged, place);
    unlinkSync(staged);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw inTheWay(place);
    if (!NO_LINKS.includes(code ?? '')) throw error;
    checkFile(place, false);
    renameSync(staged, place);
  }
}

/** A power cut after the rename must not leave an empty file where the old one was. */
function flush(staged: string): void {
  const file = openSync(staged, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
