import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../limits.js';

/** Control characters confuse terminals, logs and other systems; half a surrogate pair has no UTF-8. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;

/** True for one name of a path: no separator, no "." or "..", nothing that another system could read differently. */
export function isName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  return !name.includes('/') && !UNFIT.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** True for an absolute, normalised path of something below the root: "/photos/cat.jpg". */
export function isNormalPath(path: string): boolean {
  if (!path.startsWith('/') || path.length > MAX_PATH_BYTES || Buffer.byteLength(path) > MAX_PATH_BYTES) return false;
  return path.slice(1).split('/').every(isName);
}
