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
import { relayRequest, type Relay } from './relay-request.js';
import { refuseWeb, type WebHandler, type WebVisit } from './web-server.js';

/** Where the CouchDB hosting of this peer listens. */
export type CouchTarget = { readonly socket: string } | { readonly url: URL };

export interface CouchTrust {
  /** Shared with the hosting: CouchDB's `[chttpd_auth] secret`. */
  readonly secret: string;
  readonly isAuthority: (peer: PeerId) => boolean;
}

export interface CouchForwardOptions {
  readonly target: CouchTarget;
  readonly logger: Logger;
  /** Default WEB_IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number;
}

export type CouchRouteOptions = CouchTrust & CouchForwardOptions;

/** What of a request reaches CouchDB. */
export interface CouchPassage {
  /** As couchPath gives it. */
  readonly path: string;
  readonly identity: CouchIdentity;
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

/** What CouchDB knows a peer by: its proxy authentication. */
export type CouchIdentity = Readonly<Record<(typeof IDENTITY_HEADERS)[number], string>>;

export const IDENTITY_HEADERS = ['x-auth-couchdb-username', 'x-auth-couchdb-roles', 'x-auth-couchdb-token'] as const;

export function couchIdentity({ secret, isAuthority }: CouchTrust, peer: PeerId): CouchIdentity {
  const name = couchUserName(peer);
  return {
    'x-auth-couchdb-username': name,
    'x-auth-couchdb-roles': isAuthority(peer) ? `${PEER_ROLE},${AUTHORITY_ROLE}` : PEER_ROLE,
    'x-auth-couchdb-token': proxyToken(secret, name),
  };
}

/** Where CouchDB is, what it is called there, and what comes before every path. */
function placeOf(target: CouchTarget): Pick<Relay, 'place' | 'headers'> & { readonly prefix: string } {
  if ('socket' in target) return { place: { socketPath: target.socket }, headers: { host: 'localhost' }, prefix: '' };
  const { protocol, hostname, port, pathname } = target.url;
  const place = { protocol, hostname, ...(port === '' ? {} : { port }) };
  return { place, headers: {}, prefix: pathname.replace(/\/$/, '') };
}

/** Passes a request that is let through on to CouchDB, and answers it whatever happens. */
export async function forwardToCouch(
  visit: WebVisit,
  passage: CouchPassage,
  options: CouchForwardOptions,
): Promise<void> {
  const { response, peer } = visit;
  try {
    const { target, idleTimeoutMs = WEB_IDLE_TIMEOUT_MS } = options;
    const { place, headers, prefix } = placeOf(target);
    await relayRequest(visit, {
      place,
      path: prefix + passage.path,
      headers: { ...headers, ...passage.identity },
      bodyBytes: MAX_WEB_BODY_BYTES,
      idleMs: idleTimeoutMs,
    });
  } catch (error) {
    if (response.destroyed) return;
    options.logger.debug({ err: error, peer }, 'request to the backup database failed');
    if (StorageError.is(error, 'INVALID_ARGUMENT')) refuseWeb(response, 400, 'bad_request', error.message);
    else if (StorageError.is(error, 'LIMIT_EXCEEDED')) refuseWeb(response, 413, 'too_large', error.message);
    else if (StorageError.is(error, 'TIMEOUT')) refuseWeb(response, 504, 'timeout', error.message);
    else refuseWeb(response, 502, 'bad_gateway', 'The database of this backup host cannot be reached.');
  }
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
    void forwardToCouch(visit, { path, identity: couchIdentity(options, peer) }, options);
  };
}
