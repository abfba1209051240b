import { isName } from '../chunk/path.js';
import { StorageError } from '../errors.js';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../limits.js';
import { printable } from './printable.js';

/** A remote path as somebody typed it. */
export interface RemotePath {
  /** Absolute and normalised: "/photos/2026". The root is "/". */
  readonly path: string;
  /** It ended in "/", so that it can only mean a folder. */
  readonly folder: boolean;
}

const CONTROL = /\p{Cc}/u;

/** @throws StorageError INVALID_ARGUMENT for a relative path, "..", a control character or a name that is too long */
export function parseRemotePath(text: string): RemotePath {
  const shown = printable(text);
  if (!text.startsWith('/')) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `"${shown}" is not a remote path: it begins with "/", as in "/${shown}".`,
    );
  }
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  const path = `/${names.join('/')}`;
  const problem = names.map(nameProblem).find((found) => found !== undefined) ?? lengthProblem(path);
  if (problem !== undefined) throw new StorageError('INVALID_ARGUMENT', `"${shown}" cannot be used: ${problem}.`);
  return { path, folder: path === '/' || text.endsWith('/') || text.endsWith('/.') };
}

/** What is wrong with one name of a remote path, as the end of a sentence; undefined for a good one. */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return `"${name}" is not a name`;
  if (CONTROL.test(name)) return 'a name holds a control character';
  if (name.includes('\ufffd')) return 'a name is not valid UTF-8';
  if (name.includes('/')) return 'a name holds "/"';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `a name is longer than ${String(MAX_NAME_BYTES)} bytes`;
  return isName(name) ? undefined : 'a name is not valid Unicode';
}

/** As `nameProblem`, for the whole path. */
export function lengthProblem(path: string): string | undefined {
  // A UTF-16 unit becomes at most three bytes, so that most paths need no counting.
  const tooLong = path.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(path) > MAX_PATH_BYTES;
  return tooLong ? `the path is longer than ${String(MAX_PATH_BYTES)} bytes` : undefined;
}

export function joinRemote(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** The last name; empty for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
