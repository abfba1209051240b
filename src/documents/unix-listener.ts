import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { StorageError, wrapError } from '../errors.js';

/**
 * Listens on a unix socket that only this system user can open. The server is closed when it cannot.
 *
 * @throws StorageError CONFLICT when another process serves that socket
 */
export async function listenOnSocket(server: FastifyInstance, socket: string): Promise<void> {
  try {
    await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
    if (await answers(socket)) throw new StorageError('CONFLICT', `Another process serves ${socket} already.`);
    await rm(socket, { force: true });
    await server.listen({ path: socket });
    // Between the two lines the folder's own mode keeps others out.
    await chmod(socket, 0o600);
  } catch (error) {
    await server.close();
    throw wrapError(error, `Listening on ${socket}`);
  }
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
