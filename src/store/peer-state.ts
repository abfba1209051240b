import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../errors.js';
import { Database } from './sqlite.js';

/**
 * Opens `state.sqlite` in `directory`, which is created when it is missing: what the File Sender knows and no other peer
 * does. The outbox, who was heard of, and how audits went share it.
 */
export async function openPeerState(directory: string): Promise<Database> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const schema = new URL('schema/state/', import.meta.url);
    return await Database.open({ file: join(directory, 'state.sqlite'), schema, name: "The peer's state" });
  } catch (error) {
    throw wrapError(error, `Opening the peer's state in ${directory}`);
  }
}
