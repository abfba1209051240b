import { MAX_COMMON_NAME_CHARS } from '../crypto/certificate-request.js';
import { StorageError } from '../errors.js';

/** The name of a peer or a network, which goes into a certificate. @throws StorageError INVALID_ARGUMENT */
export function demandName(name: string): void {
  if (/^\P{Cc}+$/u.test(name) && name.length <= MAX_COMMON_NAME_CHARS) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `A name has 1 to ${String(MAX_COMMON_NAME_CHARS)} characters, none of them for control.`,
  );
}
