import type { FastifyInstance } from 'fastify';
import { StorageError } from '../../errors.js';
import { matching, pageOf } from './entry-pages.js';
import { deletedReply, entryReply, versionReply, whereReply } from './replies.js';
import { check, REQUESTS } from './requests.js';
import type { GatewayParts, Routes } from './routes.js';
import { TOTAL_HEADER } from './web-api.js';

/** What is stored: names, versions, places. */
export function entryRoutes(server: FastifyInstance, { sessionOf }: Routes, { catalog }: GatewayParts): void {
  server.get('/v1/stat', async (request) => {
    const { path } = check(REQUESTS.path, request.query);
    return entryReply(await catalog.stat(sessionOf(request), path));
  });

  server.get('/v1/entries', async (request, reply) => {
    const { path, recursive, ...page } = check(REQUESTS.tree, request.query);
    const entries = await catalog.list(sessionOf(request), path, { recursive });
    void reply.header(TOTAL_HEADER, entries.length);
    return pageOf(entries, page).map(entryReply);
  });

  server.get('/v1/search', async (request) => {
    const { text, path, limit } = check(REQUESTS.search, request.query);
    const entries = await catalog.list(sessionOf(request), path, { recursive: true });
    return matching(entries, text, limit).map(entryReply);
  });

  server.get('/v1/trash', async (request) => {
    return (await catalog.deleted(sessionOf(request))).map(deletedReply);
  });

  server.post('/v1/restore', async (request) => {
    const { path, version } = check(REQUESTS.file, request.body);
    return entryReply(await catalog.restore(sessionOf(request), path, version));
  });

  server.post('/v1/folders', async (request, reply) => {
    const { path } = check(REQUESTS.path, request.body);
    await catalog.makeFolder(sessionOf(request), path);
    return reply.code(204).send();
  });

  server.post('/v1/move', async (request, reply) => {
    const { from, to } = check(REQUESTS.move, request.body);
    await catalog.move(sessionOf(request), from, to);
    return reply.code(204).send();
  });

  server.get('/v1/versions', async (request) => {
    const { path } = check(REQUESTS.path, request.query);
    return (await catalog.versions(sessionOf(request), path)).map(versionReply);
  });

  server.get('/v1/where', async (request) => {
    const { path, version } = check(REQUESTS.file, request.query);
    const session = sessionOf(request);
    const manifest = await catalog.manifest(session, path, version);
    const ids = [...new Set(manifest.extents.map(({ stripe }) => stripe))];
    const stripes = await catalog.stripes(ids);
    const known = stripes.filter((stripe) => stripe !== undefined);
    if (known.length < ids.length)
      throw new StorageError('CORRUPT', `The catalog of this peer lacks a stripe of ${path}.`);
    return whereReply(path, manifest, known);
  });
}
