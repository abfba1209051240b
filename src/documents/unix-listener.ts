import type { FastifyInstance } from 'fastify';
import { claimSocket, closeToOthers } from '../claim-socket.js';
import { wrapError } from '../errors.js';

/**
 * Listens on a unix socket that only this system user can open. The server is closed when it cannot.
 *
 * @throws StorageError CONFLICT when another process serves that socket
 */
export async function listenOnSocket(server: FastifyInstance, socket: string): Promise<void> {
  try {
    await claimSocket(socket);
    await server.listen({ path: socket });
    await closeToOthers(socket);
  } catch (error) {
    await server.close();
    throw wrapError(error, `Listening on ${socket}`);
  }
}
