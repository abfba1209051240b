import { MAX_COMMON_NAME_CHARS } from '../crypto/certificate-request.js';
import { StorageError } from '../errors.js';
import { isPlainText } from '../plain-text.js';

/** The name of a peer or a network, which goes into a certificate. @throws StorageError INVALID_ARGUMENT */
export function demandName(name: string): void {
  if (name === '' || name.length > MAX_COMMON_NAME_CHARS) {
    throw new StorageError('INVALID_ARGUMENT', `A name has 1 to ${String(MAX_COMMON_NAME_CHARS)} characters.`);
  }
  demandPlain('name', name);
}

/**
 * What others will read. Records of former versions may have more in their names: they are read, and shown with it escaped.
 *
 * @throws StorageError INVALID_ARGUMENT
 */
export function demandPlain(what: string, text: string | undefined): void {
  if (text === undefined || isPlainText(text)) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `This ${what} holds a character that nobody sees, or that turns the direction of text. Write it without.`,
  );
}
