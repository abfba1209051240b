import { StorageError, wrapError, type ErrorCode } from '../errors.js';

const DAMAGED = [
  'CORRUPT',
  'is damaged: stop this peer, move its folder away and start again; the network repairs what lay here',
] as const;

/** Primary result codes: https://sqlite.org/rescode.html */
const RESULTS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  3: ['PERMISSION_DENIED', 'may not be opened: give this system user the right to read and write it'],
  5: ['CONFLICT', 'is in use by another process: stop the other peer that runs in this folder'],
  6: ['CONFLICT', 'is in use by another process: stop the other peer that runs in this folder'],
  8: ['PERMISSION_DENIED', 'is read-only: give this system user the right to write it and its folder'],
  10: ['UNAVAILABLE', 'cannot be read or written: check the disk'],
  11: DAMAGED,
  13: ['NO_SPACE', 'cannot grow: free some disk space'],
  14: ['PERMISSION_DENIED', 'cannot be opened: check that its folder exists and is writable'],
  26: DAMAGED,
};

export function damagedDatabase(what: string, found: string): StorageError {
  const [code, advice] = DAMAGED;
  return new StorageError(code, `${what} ${advice} (${found}).`);
}

/** Extended codes carry the primary one in their low byte. */
function resultOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

/** @param what the database in words a user knows, with its path */
export function wrapSqliteError(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const result = resultOf(error);
  const known = result === undefined ? undefined : RESULTS[result];
  if (known === undefined) return wrapError(error, `using ${what}`);
  const text = error instanceof Error ? error.message : String(error);
  return new StorageError(known[0], `${what} ${known[1]} (${text}).`, { cause: error });
}
