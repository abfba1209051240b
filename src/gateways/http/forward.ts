import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_CONTROL_LINE_BYTES } from '../../limits.js';
import { patientErrors, TUS_REPLY_HEADERS, TUS_REQUEST_HEADERS } from './draft-routes.js';
import { HOSTED, type HostedRoute, type HostingService } from './hosted.js';
import { signalOf, type Audience, type Routes } from './routes.js';
import type { ServiceClient } from './service-client.js';
import { encodeSession, SESSION_HEADER } from './session-header.js';

const REQUEST_HEADERS = [...TUS_REQUEST_HEADERS, 'range', 'if-match', 'if-none-match', 'if-range'] as const;
const REPLY_HEADERS = [
  ...TUS_REPLY_HEADERS,
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-security-policy',
  'cross-origin-resource-policy',
  'etag',
  'last-modified',
  'x-content-type-options',
] as const;
const NEWLINE = 0x0a;

/** Whom to pass routes on to, and of which callers. */
export interface ForwardTo {
  readonly service: HostingService;
  readonly client: ServiceClient;
  readonly audience: Audience;
}

/** Below this the routes are found on TCP; services know of none. */
const WEB_PREFIX = /^\/api(?=\/)/;

/**
 * Passes routes on to the service that answers them in a process of its own. Bodies are streamed both ways and no faster
 * than they are taken; whichever side leaves, the other is told.
 */
export function forwardRoutes(server: FastifyInstance, routes: Routes, { service, client, audience }: ForwardTo): void {
  void server.register(async (scope) => {
    // Bodies are the other process's to read.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => {
      done(null, payload);
    });
    const routesOf = HOSTED[service].filter(({ local }) => audience === 'local' || local !== true);
    for (const route of routesOf) {
      const { method, url } = route;
      const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
        forward({ routes, client, route }, request, reply);
      scope.route({ method, url, handler, errorHandler: patientErrors });
    }
  });
}

interface Forwarding {
  readonly routes: Routes;
  readonly client: ServiceClient;
  readonly route: HostedRoute;
}

async function forward(
  { routes, client, route }: Forwarding,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const headers: Record<string, string> = {};
  for (const name of REQUEST_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  // Node adds it by itself to some methods only, and bytes without either would be read as another request.
  if (request.body instanceof Readable && headers['content-length'] === undefined) {
    headers['transfer-encoding'] = 'chunked';
  }
  const session = route.session ? routes.sessionOf(request) : undefined;
  if (session !== undefined) headers[SESSION_HEADER] = encodeSession(session);
  const signal = signalOf(routes, reply, session);
  void routes.track(once(reply.raw, 'close'));
  const call = { method: request.method, path: request.url.replace(WEB_PREFIX, ''), headers, signal };
  const response = await client.open(call, (outgoing) => {
    // Not a pipeline: one that fails would cut the connection on which the client is to be told why.
    if (request.body instanceof Readable) request.body.pipe(outgoing);
    else outgoing.end();
  });
  void reply.code(response.statusCode ?? 502);
  for (const name of REPLY_HEADERS)
    if (response.headers[name] !== undefined) void reply.header(name, response.headers[name]);
  const isLines = route.lines && response.statusCode === 200;
  return reply.send(isLines ? Readable.from(wholeLines(response, client, signal), { objectMode: false }) : response);
}

/** The lines of a service that may break off, or never end one: then the last one says so, in the place of that. */
async function* wholeLines(
  response: IncomingMessage,
  client: ServiceClient,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  try {
    for await (const part of response) {
      const bytes = Buffer.concat([rest, part as Buffer]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      rest = bytes.subarray(end);
      if (rest.length > MAX_CONTROL_LINE_BYTES) {
        const most = String(MAX_CONTROL_LINE_BYTES);
        throw new StorageError(
          'CORRUPT',
          `The service ${client.service} answers with a line of more than ${most} bytes.`,
        );
      }
      if (end > 0) yield bytes.subarray(0, end);
    }
    if (rest.length > 0) yield rest;
  } catch (error) {
    const told = error instanceof StorageError ? error : client.explain(error);
    const { code, message } = signal.aborted ? wrapError(signal.reason, 'The request') : told;
    yield Buffer.from(`${JSON.stringify({ event: 'error', code, message })}\n`);
  }
}
