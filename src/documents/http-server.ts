import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { StorageError } from '../errors.js';
import { IDLE_TIMEOUT_MS, MAX_DATABASE_CONNECTIONS, MAX_DOCUMENTS_BODY_BYTES } from '../limits.js';
import type { DocumentServerOptions } from './http-access.js';
import { bulkRoutes } from './http-bulk-routes.js';
import { changesRoutes } from './http-changes-routes.js';
import { databaseRoutes } from './http-database-routes.js';
import { documentRoutes } from './http-document-routes.js';
import { errorReply, withoutPlaces } from './http-errors.js';
import { Routes } from './http-routes.js';
import { checkJsonBounds } from './json-bounds.js';
import { REQUEST_ID_HEADER, requestOf, withRequest } from '../request-context.js';
import type { LevelHost } from './level-host.js';

/** Unused connections are closed after this, which is later than our clients close theirs. */
const KEEP_ALIVE_MS = 75_000;

function newServer(): FastifyInstance {
  return fastify({
    bodyLimit: MAX_DOCUMENTS_BODY_BYTES,
    forceCloseConnections: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 4 * IDLE_TIMEOUT_MS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
  });
}

/** JSON, and nothing else, within the bounds; an empty body is none. */
function takeJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'ignore');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      checkJsonBounds(body);
    } catch (error) {
      done(error as StorageError);
      return;
    }
    void parse(request, body.toString('utf8'), done);
  });
}

/** What is done for a request of a DB Service belongs to the request that that one works for. */
function carryRequests(server: FastifyInstance): void {
  const carry = ({ headers }: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    if (headers[REQUEST_ID_HEADER] === undefined) done();
    else
      withRequest(
        requestOf((name) => headers[name]),
        done,
      );
  };
  // Reading a body begins in a context of its own, that of the connection.
  server.addHook('onRequest', carry);
  server.addHook('preValidation', carry);
}

/**
 * The replication protocol of CouchDB (https://docs.couchdb.org/en/stable/replication/protocol.html) over the databases
 * of a host, ready to listen. Paths begin with the database; who forwards them takes its own prefix off.
 */
export function createDocumentServer(host: LevelHost, options: DocumentServerOptions): FastifyInstance {
  const server = newServer();
  server.server.maxConnections = MAX_DATABASE_CONNECTIONS;
  takeJson(server);
  carryRequests(server);
  server.setErrorHandler(async (error, request, reply) => {
    const failure = errorReply(error);
    const { status, body } = options.isForPeers === true ? withoutPlaces(failure) : failure;
    if (status >= 500) options.logger.error({ err: error, method: request.method, url: request.url }, 'request failed');
    await reply.code(status).type('application/json').send(body);
  });
  server.setNotFoundHandler(async (request, reply) => {
    const { status, body } = errorReply(new StorageError('NOT_FOUND', `There is no ${request.method} of this path.`));
    await reply.code(status).type('application/json').send(body);
  });
  const routes = new Routes(server, host, options);
  databaseRoutes(routes);
  bulkRoutes(routes);
  changesRoutes(routes);
  documentRoutes(routes);
  return server;
}
