import { formatPath, parsePath } from '../../catalog/path.js';
import { StorageError } from '../../errors.js';
import { MAX_PATH_BYTES } from '../../limits.js';

/** What turns the order of characters around: "photo\u202Egpj.exe" reads as a picture (Unicode TR 36 section 2.4). */
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/u;

/**
 * The path that a client means, absolute and normal: clients resolve nothing themselves, and each begins in the root.
 *
 * @throws StorageError INVALID_ARGUMENT
 */
export function resolvePath(path: string): string {
  if (path.length > MAX_PATH_BYTES) throw new StorageError('INVALID_ARGUMENT', 'This path is too long.');
  // Of OpenSSH's expand-path: there is one home, the root.
  const relative = path === '~' || path.startsWith('~/') ? path.slice(1) : path;
  const names: string[] = [];
  for (const name of relative.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return formatPath(parsePath(formatPath(names)));
}

/** What is to be made has a name that shows what it is. @param path absolute and normal */
export function demandGoodName(path: string): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (REORDERING.test(name)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'A name in it holds characters that turn the reading direction around, so it would show as another. Rename it first.',
    );
  }
}

/** @param path absolute and normal, not the root */
export function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === 0 ? '/' : path.slice(0, end);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
