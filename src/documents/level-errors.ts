import { StorageError, wrapError, type ErrorCode } from '../errors.js';
import { statusOf } from './pouch.js';

export function damagedDatabase(directory: string, cause?: unknown): StorageError {
  return new StorageError(
    'CORRUPT',
    `The catalog database in ${directory} is damaged. Move that folder away and restart this peer: it is filled again from a backup host, or by \`shoal recover\`.`,
    { cause },
  );
}

const DAMAGED =
  /corrupt|wrong doc returned|does not exist \(create_if_missing|JSON|(MANIFEST|CURRENT|\.ldb|\.sst).*No such file/i;

/** What PouchDB itself refuses, before it writes anything. */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  412: 'INVALID_ARGUMENT',
};

/** LevelDB's errors have no code, only a text that begins with the kind of status (leveldb/util/status.cc). */
export function wrapLevelDb(error: unknown, doing: string, directory: string): StorageError {
  if (error instanceof StorageError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const as = (code: ErrorCode, message: string): StorageError => new StorageError(code, message, { cause: error });
  const refusal = REFUSALS[statusOf(error) ?? 0];
  if (refusal !== undefined) return as(refusal, `${doing} failed: ${text}`);
  if (/lock .*LOCK/i.test(text)) {
    return as('CONFLICT', `Another process has the catalog in ${directory} open. Stop it first.`);
  }
  if (DAMAGED.test(text)) return damagedDatabase(directory, error);
  if (/no space left|file too large|quota exceeded/i.test(text)) {
    return as('NO_SPACE', `The disk of the catalog in ${directory} is full. Free some space.`);
  }
  if (/not open|is closed/i.test(text)) {
    return as('UNAVAILABLE', `${doing} failed because the database was just closed. Try again.`);
  }
  return wrapError(error, doing);
}
