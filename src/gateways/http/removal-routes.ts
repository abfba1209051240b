import type { FastifyInstance } from 'fastify';
import { emptyTrash, removePath } from '../../file/remove.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type Routes, type SenderParts } from './routes.js';

/** Removing: whoever removes sends the orders to delete chunks. */
export function removalRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.delete('/v1/entries', async (request, reply) => {
    const { path, recursive, forever } = check(REQUESTS.removal, request.query);
    const session = routes.sessionOf(request);
    return removePath(engine, session, path, { recursive, forever, signal: signalOf(routes, reply, session) });
  });

  server.delete('/v1/trash', async (request, reply) => {
    const { olderThanMs } = check(REQUESTS.trash, request.query);
    // All of it is all of it, also what a peer whose clock is ahead has removed.
    const untilMs = olderThanMs === 0 ? Number.MAX_SAFE_INTEGER : Date.now() - olderThanMs;
    const session = routes.sessionOf(request);
    return emptyTrash(engine, session, { untilMs, signal: signalOf(routes, reply, session) });
  });
}
