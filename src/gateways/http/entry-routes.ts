import type { FastifyInstance } from 'fastify';
import { StorageError } from '../../errors.js';
import { emptyTrash, removePath } from '../../file/remove.js';
import { deletedReply, entryReply, versionReply, whereReply } from './replies.js';
import { check, REQUESTS } from './requests.js';
import { sessionOf, signalOf, type Routes } from './routes.js';

/** What is stored: names, versions, places. */
export function entryRoutes(server: FastifyInstance, routes: Routes): void {
  const { engine } = routes;
  const { catalog } = engine;

  server.get('/v1/stat', async (request) => {
    const { path } = check(REQUESTS.path, request.query);
    return entryReply(await catalog.stat(sessionOf(routes, request), path));
  });

  server.get('/v1/entries', async (request) => {
    const { path, recursive } = check(REQUESTS.tree, request.query);
    return (await catalog.list(sessionOf(routes, request), path, { recursive })).map(entryReply);
  });

  server.delete('/v1/entries', async (request, reply) => {
    const { path, recursive, forever } = check(REQUESTS.removal, request.query);
    const signal = signalOf(routes, reply);
    return removePath(engine, sessionOf(routes, request), path, { recursive, forever, signal });
  });

  server.get('/v1/trash', async (request) => {
    return (await catalog.deleted(sessionOf(routes, request))).map(deletedReply);
  });

  server.delete('/v1/trash', async (request, reply) => {
    const { olderThanMs } = check(REQUESTS.trash, request.query);
    // All of it is all of it, also what a peer whose clock is ahead has removed.
    const untilMs = olderThanMs === 0 ? Number.MAX_SAFE_INTEGER : Date.now() - olderThanMs;
    return emptyTrash(engine, sessionOf(routes, request), { untilMs, signal: signalOf(routes, reply) });
  });

  server.post('/v1/restore', async (request) => {
    const { path, version } = check(REQUESTS.file, request.body);
    return entryReply(await catalog.restore(sessionOf(routes, request), path, version));
  });

  server.post('/v1/folders', async (request, reply) => {
    const { path } = check(REQUESTS.path, request.body);
    await catalog.makeFolder(sessionOf(routes, request), path);
    return reply.code(204).send();
  });

  server.post('/v1/move', async (request, reply) => {
    const { from, to } = check(REQUESTS.move, request.body);
    await catalog.move(sessionOf(routes, request), from, to);
    return reply.code(204).send();
  });

  server.get('/v1/versions', async (request) => {
    const { path } = check(REQUESTS.path, request.query);
    return (await catalog.versions(sessionOf(routes, request), path)).map(versionReply);
  });

  server.get('/v1/where', async (request) => {
    const { path, version } = check(REQUESTS.file, request.query);
    const session = sessionOf(routes, request);
    const manifest = await catalog.manifest(session, path, version);
    const ids = [...new Set(manifest.extents.map(({ stripe }) => stripe))];
    const stripes = await catalog.stripes(ids);
    const known = stripes.filter((stripe) => stripe !== undefined);
    if (known.length < ids.length)
      throw new StorageError('CORRUPT', `The catalog of this peer lacks a stripe of ${path}.`);
    return whereReply(path, manifest, known);
  });
}
