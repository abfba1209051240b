import { Readable } from 'node:stream';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { StorageError } from '../../errors.js';
import { findPackage } from '../../package.js';
import { schemaOf } from '../http/description/described.js';
import { ROUTES } from '../http/description/routes.js';
import { check } from '../http/requests.js';

const PREFIX = /^\/api(?=\/)/;
/** What the page's own program needs: it writes styles into itself. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Holds every request to what the table of routes says of it, and serves that as OpenAPI 3.1, and as a page to browse. To be
 * called before the routes are added.
 */
export async function describeApi(scope: FastifyInstance): Promise<void> {
  scope.setValidatorCompiler(({ schema, httpPart }) => (value: unknown) => {
    // What is streamed, and that there is nothing, the routes look at themselves.
    if (httpPart === 'body' && (value instanceof Readable || value === undefined || value === null)) return true;
    try {
      check(schema as z.ZodType, value);
      return true;
    } catch (error) {
      if (StorageError.is(error)) return { error };
      throw error;
    }
  });
  scope.setSerializerCompiler(() => (value) => JSON.stringify(value));
  scope.addHook('onRoute', (route) => {
    const methods = typeof route.method === 'string' ? [route.method] : route.method;
    const [described] = methods.map((method) => ROUTES[`${method} ${route.url.replace(PREFIX, '')}`]);
    if (described === undefined) route.schema = { hide: true };
    else route.schema = schemaOf(described);
  });
  await scope.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Shoal', version: findPackage().version, description: ABOUT },
      servers: [{ url: '/' }],
      security: [{ token: [] }, { cookie: [] }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'Of `shoal token create`' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'shoal', description: 'Of a browser that is signed in' },
        },
      },
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: 'any' } }),
  });
}

/** `/api/openapi.json`, and the page. To be called after the routes were added. */
export async function serveDescription(scope: FastifyInstance): Promise<void> {
  const open = { config: { open: true }, schema: { hide: true } };
  scope.get('/openapi.json', open, async () => scope.swagger());
  await scope.register(async (pages) => {
    // Nothing secret is there: it is the same at every peer.
    pages.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
      route.schema = { hide: true };
    });
    pages.addHook('onSend', async (_request, reply, payload) => {
      void reply.header('content-security-policy', PAGE_POLICY);
      return payload;
    });
    await pages.register(fastifySwaggerUi, { routePrefix: '/docs', uiConfig: { url: '/api/openapi.json' } });
  });
}

const ABOUT = [
  'Files that are sealed at this peer, coded, and spread over the machines of a network.',
  'Paths are absolute, such as "/photos/cat.jpg". Times are RFC 3339 in UTC, where they are not called Ms.',
  'A request by cookie that changes something needs the header x-shoal-csrf. See docs/http-api.md.',
].join(' ');
