import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { wrapError } from './errors.js';

/** Of a file, what was written to it; of a folder, the names in it: what an fsync has taken survives a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whole or not at all, mode 0600, and there after a power cut. @throws StorageError */
export async function writeDurably(path: string, text: string): Promise<void> {
  try {
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
    await syncPath(dirname(path));
  } catch (error) {
    throw wrapError(error, `Writing ${path}`);
  }
}

/** @throws StorageError for a file that is there and cannot be read */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const wrapped = wrapError(error, `Reading ${path}`);
    if (wrapped.code === 'NOT_FOUND') return undefined;
    throw wrapped;
  }
}
