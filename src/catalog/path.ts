import { StorageError } from '../errors.js';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../limits.js';

/** C0, DEL, C1, and the two line separators that JavaScript and some terminals break lines at. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const LONE_SURROGATE = /\p{Cs}/u;

function refuse(reason: string): never {
  throw new StorageError('INVALID_ARGUMENT', `This path cannot be used: ${reason}.`);
}

function checkName(name: string): void {
  if (name === '') refuse('a name in it is empty ("//")');
  if (name === '.' || name === '..') refuse('"." and ".." are not names; write the whole path from "/"');
  if (CONTROL.test(name)) refuse('a name in it holds a control character or line separator');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    refuse(`a name in it is longer than ${String(MAX_NAME_BYTES)} bytes in UTF-8`);
  }
}

/** Half a surrogate pair has no UTF-8: on its way to another process it would become another name. */
export function checkUnicode(path: string): void {
  if (LONE_SURROGATE.test(path)) refuse('it is not well-formed Unicode');
}

/**
 * The names of an absolute path, from the root down; none for the root itself. Names are put into Unicode form NFC, so
 * that a name typed on one system is found from another, and compare exactly from there on. One final "/" is ignored.
 *
 * @throws StorageError INVALID_ARGUMENT that says what is wrong
 */
export function parsePath(path: string): readonly string[] {
  // Before normalising, which is slow on long text; NFC at most triples it (UAX 15 section 12).
  if (path.length > MAX_PATH_BYTES) refuse(`it is longer than ${String(MAX_PATH_BYTES)} bytes in UTF-8`);
  if (!path.startsWith('/')) refuse('it does not begin with "/"');
  checkUnicode(path);
  const normal = path.normalize('NFC');
  if (Buffer.byteLength(normal) > MAX_PATH_BYTES) refuse(`it is longer than ${String(MAX_PATH_BYTES)} bytes in UTF-8`);
  if (normal === '/') return [];
  const names = (normal.endsWith('/') ? normal.slice(1, -1) : normal.slice(1)).split('/');
  for (const name of names) checkName(name);
  return names;
}

export function formatPath(names: readonly string[]): string {
  return `/${names.join('/')}`;
}

/** @param folder absolute and normal */
export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** Whether a path is that of a folder, or lies below it. Both absolute and normal. */
export function isWithinPath(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
