import { open } from 'node:fs/promises';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_SECRET_FILE_BYTES } from '../../limits.js';

/**
 * The one line of a file with a secret.
 *
 * @param what in words a user knows: "the credentials of CouchDB"
 * @throws StorageError NOT_FOUND, PERMISSION_DENIED when others may read it, CORRUPT when it holds no such line
 */
export async function readPrivateFile(path: string, what: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0) {
        throw new StorageError('PERMISSION_DENIED', `${path} holds ${what}, and others may read it: chmod 600 it.`);
      }
      const line = size > MAX_SECRET_FILE_BYTES ? '' : (await handle.readFile('utf8')).trim();
      if (line === '' || /\p{Cc}/u.test(line)) {
        throw new StorageError('CORRUPT', `${path} should hold ${what} in one line, and nothing else.`);
      }
      return line;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw wrapError(error, `Reading ${what} in ${path}`);
  }
}
