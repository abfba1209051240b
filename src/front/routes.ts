import {
  FRONT_IDLE_MS,
  MAX_ENROL_BODY_BYTES,
  MAX_WEB_BODY_BYTES,
  ENROL_BODY_TIMEOUT_MS,
  OPEN_REQUESTS_PER_MINUTE,
  WEB_BODY_TIMEOUT_MS,
  WEB_IDLE_TIMEOUT_MS,
} from '../limits.js';

/** The services behind the front. Each but CouchDB listens on the unix socket of that name in the peer's home. */
export type Upstream = 'file-receiver' | 'file-sender' | 'couchdb' | 'enrolment';

/** The socket that says which requests to CouchDB are let through, as whom; see front-auth.ts. */
export const FRONT_AUTH = 'front-auth';

/** How a route is bounded. */
export interface RouteLimits {
  /** Of one request; absent: a stream without end. */
  readonly bodyBytes?: number;
  /** The whole body is there after this; absent: as long as it moves. */
  readonly bodyMs?: number;
  /** Neither side moves a byte for this long. */
  readonly idleMs: number;
  /** From one address; absent: as many as its connections carry. */
  readonly requestsPerMinute?: number;
}

export interface Route {
  /** Of the path: whatever follows is the upstream's business. */
  readonly prefix: string;
  readonly protocol: 'grpc' | 'http';
  readonly methods: readonly string[];
  readonly upstream: Upstream;
  /** Who may come in. The certificate is verified in either case, where one is shown. */
  readonly identity: 'member' | 'anyone';
  readonly limits: RouteLimits;
}

/** Streams of gRPC have time-outs of their own, at both ends; the front only notices what they did not. */
const STREAM_LIMITS: RouteLimits = { idleMs: FRONT_IDLE_MS };

/**
 * The one routing table. The peer's own port (`webRoutes`), the built-in front (`node-front.ts`) and nginx
 * (`nginx-config.ts`) follow it; every other path is 404.
 */
export const ROUTES: readonly Route[] = [
  {
    prefix: '/shoal.v1.FileReceiver/',
    protocol: 'grpc',
    methods: ['POST'],
    upstream: 'file-receiver',
    identity: 'member',
    limits: STREAM_LIMITS,
  },
  {
    prefix: '/shoal.v1.FileSender/',
    protocol: 'grpc',
    methods: ['POST'],
    upstream: 'file-sender',
    identity: 'member',
    limits: STREAM_LIMITS,
  },
  {
    prefix: '/couchdb/',
    protocol: 'http',
    methods: ['GET', 'HEAD', 'POST', 'PUT'],
    upstream: 'couchdb',
    identity: 'member',
    limits: { bodyBytes: MAX_WEB_BODY_BYTES, bodyMs: WEB_BODY_TIMEOUT_MS, idleMs: WEB_IDLE_TIMEOUT_MS },
  },
  {
    prefix: '/enrol/',
    protocol: 'http',
    methods: ['GET', 'POST'],
    upstream: 'enrolment',
    identity: 'anyone',
    limits: {
      bodyBytes: MAX_ENROL_BODY_BYTES,
      bodyMs: ENROL_BODY_TIMEOUT_MS,
      idleMs: WEB_IDLE_TIMEOUT_MS,
      requestsPerMinute: OPEN_REQUESTS_PER_MINUTE,
    },
  },
];

/** @param path of the request, with or without its query @returns undefined for what is nobody's */
export function routeOf(path: string): Route | undefined {
  return ROUTES.find(({ prefix }) => path.startsWith(prefix));
}
