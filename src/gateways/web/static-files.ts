import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { findPackage } from '../../package.js';
import { nothingAt } from '../http/api-routes.js';

/** Where the build puts the UI: beside this code, or, for a build without one of its own, in the package. */
export function findWebFiles(): string {
  const beside = fileURLToPath(new URL('../../../web', import.meta.url));
  return existsSync(join(beside, 'index.html')) ? beside : join(findPackage().folder, 'dist', 'web');
}

/** Names with a hash of their content in them never mean anything else. */
const HASHED = /[/\\]assets[/\\]/;
const NOT_BUILT =
  '<!doctype html><title>Shoal</title><p>This copy of Shoal was built without its web UI: run <code>npm run build</code>.';

/** The files of the UI; every other address that looks like a page of it is its index.html, which reads the address. */
export async function serveFiles(server: FastifyInstance, root: string): Promise<void> {
  const isBuilt = existsSync(join(root, 'index.html'));
  if (isBuilt) {
    await server.register(fastifyStatic, {
      root,
      cacheControl: false,
      setHeaders: (response, path) => {
        response.setHeader('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  } else {
    server.get('/', async (_request, reply) => reply.type('text/html').send(NOT_BUILT));
  }
  server.setNotFoundHandler(async (request, reply) => {
    const [path = ''] = request.url.split('?');
    const isPage = /^(GET|HEAD)$/.test(request.method) && !/^\/(api|metrics)(\/|$)|\.[^/]*$/.test(path);
    if (isBuilt && isPage) return reply.sendFile('index.html');
    return reply.code(404).send(nothingAt(request));
  });
}
