import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { AUTHORITY_ROLE, couchUserName, isReplicated, PEER_ROLE } from '../chunk/database-names.js';
import type { PeerId } from '../chunk/ids.js';
import { proxyToken } from '../crypto/proxy-token.js';
import { StorageError } from '../errors.js';
import { MAX_WEB_BODY_BYTES, WEB_IDLE_TIMEOUT_MS } from '../limits.js';
import type { Logger } from '../log.js';
import {
  BULK_GET_QUERY,
  CHANGES_QUERY,
  couchQuery,
  DOCUMENT_QUERY,
  LISTING_QUERY,
  NO_QUERY,
  type QueryForm,
} from './couch-query.js';
import { refuseWeb, type WebHandler, type WebVisit } from './web-server.js';

/** Where the CouchDB hosting of this peer listens. */
export type CouchTarget = { readonly socket: string } | { readonly url: URL };

export interface CouchRouteOptions {
  readonly target: CouchTarget;
  /** Shared with the hosting: CouchDB's `[chttpd_auth] secret`. */
  readonly secret: string;
  readonly isAuthority: (peer: PeerId) => boolean;
  readonly logger: Logger;
  /** Default WEB_IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number;
}

interface Route {
  readonly methods: readonly string[];
  /** What follows the name of the database. */
  readonly path: RegExp;
  readonly query: QueryForm;
}

/**
 * What peers may ask of a database. Everything else is 404: administration,
 * `_security`, design documents, and whatever a later CouchDB brings. No id of Shoal needs percent-encoding, so a path
 * with a percent sign is nobody's.
 */
const ROUTES: readonly Route[] = [
  { methods: ['GET', 'HEAD'], path: /^$/, query: NO_QUERY },
  { methods: ['GET', 'POST'], path: /^\/_changes$/, query: CHANGES_QUERY },
  { methods: ['GET', 'POST'], path: /^\/_all_docs$/, query: LISTING_QUERY },
  { methods: ['POST'], path: /^\/_bulk_get$/, query: BULK_GET_QUERY },
  { methods: ['POST'], path: /^\/(?:_revs_diff|_bulk_docs|_ensure_full_commit)$/, query: NO_QUERY },
  { methods: ['GET', 'PUT'], path: /^\/_local\/[A-Za-z0-9_-]{1,128}$/, query: NO_QUERY },
  { methods: ['GET'], path: /^\/[a-z][a-z0-9-]{0,255}$/, query: DOCUMENT_QUERY },
];

const URL_FORM = /^\/couchdb\/([a-z0-9-]{1,100})((?:\/[A-Za-z0-9_-]+)*)(\?[\x21-\x7e]*)?$/;

/** @returns the path and query for CouchDB; undefined for what peers may not ask for */
export function couchPath(method: string, url: string): string | undefined {
  const [, database, path = '', asked = ''] = URL_FORM.exec(url) ?? [];
  if (database === undefined || !isReplicated(database)) return undefined;
  const route = ROUTES.find((each) => each.methods.includes(method) && each.path.test(path));
  const query = route && couchQuery(asked, route.query);
  return query === undefined ? undefined : `/${database}${path}${query}`;
}

/**
 * Node sends the body of a GET of unknown length as bare bytes behind its head: the other side would take them for the next
 * request, with whatever headers the caller likes.
 */
function hasBody(request: IncomingMessage): boolean {
  return request.method === 'POST' || request.method === 'PUT';
}

async function* nothing(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  for await (const part of source) {
    if (part.length > 0) throw new StorageError('INVALID_ARGUMENT', 'This request has no body.');
  }
}

/** Everything else a caller sends stays outside: identities, forwarding headers, cookies. */
const REQUEST_HEADERS = ['accept', 'content-type', 'content-length'] as const;
const REPLY_HEADERS = ['content-type', 'content-length', 'etag'] as const;

function keep(names: readonly string[], from: IncomingMessage): OutgoingHttpHeaders {
  const kept = names.flatMap((name) => {
    const value = from.headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

function identityHeaders({ secret, isAuthority }: CouchRouteOptions, peer: PeerId): OutgoingHttpHeaders {
  const name = couchUserName(peer);
  return {
    'x-auth-couchdb-username': name,
    'x-auth-couchdb-roles': isAuthority(peer) ? `${PEER_ROLE},${AUTHORITY_ROLE}` : PEER_ROLE,
    'x-auth-couchdb-token': proxyToken(secret, name),
  };
}

function tooLarge(): StorageError {
  return new StorageError('LIMIT_EXCEEDED', `A request has at most ${String(MAX_WEB_BODY_BYTES)} bytes.`);
}

async function* bounded(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let bytes = 0;
  for await (const part of source) {
    bytes += part.length;
    if (bytes > MAX_WEB_BODY_BYTES) throw tooLarge();
    yield part;
  }
}

interface Place {
  readonly options: RequestOptions;
  readonly headers: OutgoingHttpHeaders;
  /** Before every path. */
  readonly prefix: string;
}

function placeOf(target: CouchTarget): Place {
  if ('socket' in target) return { options: { socketPath: target.socket }, headers: { host: 'localhost' }, prefix: '' };
  const { protocol, hostname, port, pathname } = target.url;
  const options = { protocol, hostname, ...(port === '' ? {} : { port }) };
  return { options, headers: {}, prefix: pathname.replace(/\/$/, '') };
}

/** @param path as couchPath gives it */
async function forward({ request, response, peer }: WebVisit, path: string, options: CouchRouteOptions): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_WEB_BODY_BYTES) throw tooLarge();
  const { target, idleTimeoutMs = WEB_IDLE_TIMEOUT_MS } = options;
  const place = placeOf(target);
  const send = place.options.protocol === 'https:' ? requestHttps : requestHttp;
  const upstream = send({
    ...place.options,
    method: request.method,
    path: place.prefix + path,
    headers: { ...place.headers, ...keep(REQUEST_HEADERS, request), ...identityHeaders(options, peer) },
    // A kept connection may be closed by the other side just as it is used, and a POST is not sent twice.
    agent: false,
  });
  upstream.setTimeout(idleTimeoutMs, () => {
    upstream.destroy(new StorageError('TIMEOUT', 'The database of this backup host does not answer.'));
  });
  response.once('close', () => upstream.destroy());
  const reply = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve);
    // Stays: an error after the reply has begun reaches its stream, too.
    upstream.on('error', reject);
  });
  const [, received] = await Promise.all([pipeline(request, hasBody(request) ? bounded : nothing, upstream), reply]);
  response.writeHead(received.statusCode ?? 502, keep(REPLY_HEADERS, received));
  await pipeline(received, response);
}

/** `/couchdb/…` of the peer's port: to the CouchDB hosting, as the peer that asks and as nobody else. */
export function couchRoute(options: CouchRouteOptions): WebHandler {
  return (visit) => {
    const { request, response, peer } = visit;
    const path = couchPath(request.method ?? '', request.url ?? '');
    if (path === undefined) {
      refuseWeb(response, 404, 'not_found', 'There is nothing here.');
      return;
    }
    forward(visit, path, options).catch((error: unknown) => {
      if (response.destroyed) return;
      options.logger.debug({ err: error, peer }, 'request to the backup database failed');
      if (StorageError.is(error, 'INVALID_ARGUMENT')) refuseWeb(response, 400, 'bad_request', error.message);
      else if (StorageError.is(error, 'LIMIT_EXCEEDED')) refuseWeb(response, 413, 'too_large', error.message);
      else if (StorageError.is(error, 'TIMEOUT')) refuseWeb(response, 504, 'timeout', error.message);
      else refuseWeb(response, 502, 'bad_gateway', 'The database of this backup host cannot be reached.');
    });
  };
}
