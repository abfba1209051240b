import type { OpenHandler, WebHandler, WebRoute } from '../wire/web-server.js';
import { ROUTES, type Route } from './routes.js';

/** What answers over HTTP/1.1 in this process. */
export interface WebHandlers {
  /** Of a backup host; see couchRoute. */
  readonly couchdb?: WebHandler;
  readonly enrolment?: OpenHandler;
}

/** The rows of the routing table that have a handler, for a PeerServer or a WebServer. */
export function webRoutes(handlers: WebHandlers): readonly WebRoute[] {
  return ROUTES.flatMap((route) => webRoute(route, handlers));
}

function webRoute(
  { prefix, methods, upstream, limits: { requestsPerMinute } }: Route,
  { couchdb, enrolment }: WebHandlers,
): readonly WebRoute[] {
  if (upstream === 'couchdb' && couchdb !== undefined)
    return [{ prefix, methods, identity: 'member', handler: couchdb }];
  if (upstream === 'enrolment' && enrolment !== undefined) {
    return [
      { prefix, methods, identity: 'anyone', handler: enrolment, ...(requestsPerMinute && { requestsPerMinute }) },
    ];
  }
  return [];
}
