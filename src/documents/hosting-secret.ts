import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { StorageError, wrapError } from '../errors.js';

const SECRET = /^[0-9a-f]{64}$/;

/** @throws StorageError NOT_FOUND where no hosting has made one yet; CORRUPT where the file holds something else */
export async function readSecret(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw wrapError(error, `Reading the secret of PouchDB hosting in ${file}`);
  }
  if (SECRET.test(text)) return text;
  throw new StorageError(
    'CORRUPT',
    `${file} holds no secret of PouchDB hosting. Remove it and start \`shoal serve pouchdb\` again.`,
  );
}

/** Reads the secret, or makes one that only this system user can read. Whole or not at all; of two that make it one wins. */
export async function ensureSecret(file: string): Promise<string> {
  try {
    return await readSecret(file);
  } catch (error) {
    if (!StorageError.is(error, 'NOT_FOUND')) throw error;
  }
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    try {
      await link(draft, file);
    } catch (error) {
      if (!StorageError.is(wrapError(error, ''), 'ALREADY_EXISTS')) throw error;
    }
  } catch (error) {
    throw wrapError(error, `Writing the secret of PouchDB hosting to ${file}`);
  } finally {
    await rm(draft, { force: true });
  }
  return readSecret(file);
}
