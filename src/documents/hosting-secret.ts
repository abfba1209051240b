import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { StorageError, wrapError } from '../errors.js';

/** Whose secret a file holds, in words a user knows. */
export interface SecretHolder {
  readonly name: string;
  /** What makes the file. */
  readonly command: string;
}

export const POUCHDB: SecretHolder = { name: 'PouchDB hosting', command: 'shoal serve pouchdb' };
export const COUCHDB: SecretHolder = { name: 'CouchDB hosting', command: 'shoal serve couchdb' };

const SECRET = /^[0-9a-f]{64}$/;

/** @throws StorageError NOT_FOUND where no hosting has made one yet; CORRUPT where the file holds something else */
export async function readSecret(file: string, { name, command }: SecretHolder): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw wrapError(error, `Reading the secret of ${name} in ${file}`);
  }
  if (SECRET.test(text)) return text;
  throw new StorageError('CORRUPT', `${file} holds no secret of ${name}. Remove it and start \`${command}\` again.`);
}

/** Reads the secret, or makes one that only this system user can read. Whole or not at all; of two that make it one wins. */
export async function ensureSecret(file: string, holder: SecretHolder): Promise<string> {
  try {
    return await readSecret(file, holder);
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
    throw wrapError(error, `Writing the secret of ${holder.name} to ${file}`);
  } finally {
    await rm(draft, { force: true });
  }
  return readSecret(file, holder);
}
