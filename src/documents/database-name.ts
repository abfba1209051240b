import { StorageError } from '../errors.js';
import { MAX_DATABASE_NAME_CHARS } from '../limits.js';

/** Of CouchDB's names those that are the same on every file system, and need no escape in a URL. */
const NAME = /^[a-z][a-z0-9_-]*$/;

export function isDatabaseName(name: string): boolean {
  return name.length <= MAX_DATABASE_NAME_CHARS && NAME.test(name);
}

/** @throws StorageError INVALID_ARGUMENT */
export function parseDatabaseName(name: string): string {
  if (isDatabaseName(name)) return name;
  throw new StorageError(
    'INVALID_ARGUMENT',
    'A database has a name of up to 100 lower-case letters, digits, "-" and "_", the first of which is a letter.',
  );
}
