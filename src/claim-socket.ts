import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { StorageError } from './errors.js';

/**
 * Makes room for a unix socket, in a folder that only this system user can enter.
 *
 * @throws StorageError CONFLICT when another process serves it
 */
export async function claimSocket(socket: string): Promise<void> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
  if (await answers(socket)) throw new StorageError('CONFLICT', `Another process serves ${socket} already.`);
  await rm(socket, { force: true });
}

/** Once somebody listens; until then the folder's own mode keeps others out. */
export async function closeToOthers(socket: string): Promise<void> {
  await chmod(socket, 0o600);
}

/** A socket that nobody answers was left behind by a process that is gone. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // Any other failure, such as a full backlog, is of a process that is there.
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
