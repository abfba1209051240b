import { StorageError } from '../errors.js';
import { MAX_FRONT_STRANGERS, MAX_FRONT_STREAMS_PER_PEER, OPEN_REQUESTS_PER_MINUTE } from '../limits.js';
import { CERTIFICATE_HEADER } from '../wire/admission.js';
import { IDENTITY_HEADERS, type CouchTarget } from '../wire/couch-route.js';
import { ERROR_CODE_TRAILER } from '../wire/status.js';
import { absenceOf } from './absence.js';
import { METHOD_HEADER, NOT_FOUND_REFUSAL, PATH_HEADER, REFUSAL_HEADER, URI_HEADER } from './front-auth.js';
import { block, seconds, type Block, type Directive } from './nginx-text.js';
import { FRONT_AUTH, ROUTES, type Route } from './routes.js';

/** Shared memory in which nginx counts the requests of each certificate, and of each address. */
export const PEERS_ZONE = 'peers';
export const STRANGERS_ZONE = 'strangers';

export function zoneOf({ upstream }: Route): string {
  return `rate_${upstream}`;
}

/** Where nginx asks front-auth.ts; nobody can ask for it from outside. */
const AUTH_LOCATION = '/-/front-auth';

/** What a client may claim to be. On gRPC streams nginx passes on all other headers, and nobody reads them. */
const CLAIMS = [
  'Authorization',
  'Cookie',
  'Forwarded',
  'X-Forwarded-For',
  'X-Real-IP',
  ...IDENTITY_HEADERS,
  METHOD_HEADER,
  URI_HEADER,
  PATH_HEADER,
];

/** The locations of the server: the rows of the routing table, and what they need. */
export function routeBlocks({ couch }: { readonly couch: CouchTarget }): readonly Directive[] {
  return [
    ...ROUTES.map((route) => location(route, couch)),
    // nginx would send the path without its slash to the one with it.
    ...ROUTES.map(({ prefix }) => block(['location', '=', prefix.replace(/\/$/, '')], nothing())),
    ...ROUTES.filter(({ protocol }) => protocol === 'grpc').map(grpcAbsence),
    authLocation(),
    ...refusals(),
    block(['location', '/'], nothing()),
  ];
}

function location(route: Route, couch: CouchTarget): Block {
  const { prefix, protocol, upstream } = route;
  const passing =
    protocol === 'grpc' ? grpcPass(route) : upstream === 'couchdb' ? couchPass(route, couch) : webPass(route);
  return block(['location', '^~', prefix], [...door(route), ...passing]);
}

/**
 * nginx's own codes: a certificate that does not verify, none, and no TLS. A location with an error_page of its own does not
 * inherit the server's.
 */
export const UNAUTHENTICATED: Directive = ['error_page', '495', '496', '497', '=', '@unauthenticated'];

/** Who may come in, by which methods, and how much of it. */
function door({ identity, methods, limits: { bodyBytes, idleMs, bodyMs } }: Route): readonly Directive[] {
  const isOpen = identity === 'anyone';
  return [
    UNAUTHENTICATED,
    ...(isOpen ? [] : [block(['if', '($ssl_client_verify != SUCCESS)'], [['return', '496']])]),
    block(['if', `($request_method !~ ^(?:${methods.join('|')})$)`], [['return', '404']]),
    ['limit_conn', PEERS_ZONE, String(MAX_FRONT_STREAMS_PER_PEER)],
    ...(isOpen ? [['limit_conn', STRANGERS_ZONE, String(MAX_FRONT_STRANGERS)] as const] : []),
    // 0: without bound.
    ['client_max_body_size', String(bodyBytes ?? 0)],
    ['client_body_timeout', seconds(bodyMs ?? idleMs)],
    ['send_timeout', seconds(idleMs)],
  ];
}

function grpcPass({ upstream, limits: { idleMs } }: Route): readonly Directive[] {
  return [
    // HTTP/1.1 has no trailers that a gRPC client would read.
    block(['if', '($server_protocol != HTTP/2.0)'], [['return', '404']]),
    ['grpc_pass', `grpc://${upstream}`],
    ['grpc_set_header', 'Host', 'localhost'],
    ['grpc_set_header', CERTIFICATE_HEADER, '$ssl_client_escaped_cert'],
    ...CLAIMS.map((name): Directive => ['grpc_set_header', name, '""']),
    ['grpc_read_timeout', seconds(idleMs)],
    ['grpc_send_timeout', seconds(idleMs)],
    ['error_page', '502', '504', '=', `@no-${upstream}`],
  ];
}

/** Headers alone, which gRPC takes for the end of the call. */
function grpcAbsence({ upstream }: Route): Block {
  return block(
    ['location', `@no-${upstream}`],
    [
      ['default_type', 'application/grpc'],
      ['add_header', 'grpc-status', '14', 'always'],
      ['add_header', 'grpc-message', `"${encodeURI(absenceOf(upstream))}"`, 'always'],
      ['add_header', ERROR_CODE_TRAILER, 'UNAVAILABLE', 'always'],
      ['return', '204'],
    ],
  );
}

/** Only these reach the other side, besides the length of the body. */
function webHeaders(idleMs: number, host = 'localhost'): readonly Directive[] {
  return [
    ['proxy_pass_request_headers', 'off'],
    ['proxy_set_header', 'Host', host],
    ['proxy_set_header', 'Connection', '""'],
    ['proxy_set_header', 'Accept', '$http_accept'],
    ['proxy_set_header', 'Content-Type', '$http_content_type'],
    ...['Set-Cookie', 'X-Couch-Request-ID', 'X-CouchDB-Body-Time', 'X-Powered-By'].map((name): Directive => [
      'proxy_hide_header',
      name,
    ]),
    ['proxy_read_timeout', seconds(idleMs)],
    ['proxy_send_timeout', seconds(idleMs)],
  ];
}

function webPass(route: Route): readonly Directive[] {
  return [
    [
      'limit_req',
      `zone=${zoneOf(route)}`,
      `burst=${String(route.limits.requestsPerMinute ?? OPEN_REQUESTS_PER_MINUTE)}`,
      'nodelay',
    ],
    // It is small: whoever sends it slowly holds up nginx alone.
    ['proxy_request_buffering', 'on'],
    ['client_body_buffer_size', String(route.limits.bodyBytes ?? 0)],
    ['proxy_pass', `http://${route.upstream}`],
    ...webHeaders(route.limits.idleMs),
    ['proxy_set_header', CERTIFICATE_HEADER, '$ssl_client_escaped_cert'],
    ['error_page', '502', '504', '=', '@unavailable'],
  ];
}

/** The path for CouchDB is the one that was checked, as it was checked: nothing is left to nginx's idea of it. */
function couchPass({ upstream, limits: { idleMs } }: Route, couch: CouchTarget): readonly Directive[] {
  const { scheme, prefix, host, secure } = couchPlace(couch);
  return [
    ['auth_request', AUTH_LOCATION],
    ['auth_request_set', '$shoal_path', upstreamVariable(PATH_HEADER)],
    ['auth_request_set', '$shoal_refusal', upstreamVariable(REFUSAL_HEADER)],
    ...IDENTITY_HEADERS.map((name): Directive => ['auth_request_set', variable(name), upstreamVariable(name)]),
    ['proxy_pass', `"${scheme}//${upstream}${prefix}$shoal_path"`],
    ...webHeaders(idleMs, host),
    ...IDENTITY_HEADERS.map((name): Directive => ['proxy_set_header', name, variable(name)]),
    ...secure,
    ['error_page', '401', '=', '@unauthenticated'],
    ['error_page', '403', '=', '@refused'],
    // 500: front-auth did not answer.
    ['error_page', '500', '502', '504', '=', '@unavailable'],
  ];
}

function couchPlace(couch: CouchTarget): {
  scheme: string;
  prefix: string;
  host: string;
  secure: readonly Directive[];
} {
  if ('socket' in couch) return { scheme: 'http:', prefix: '', host: 'localhost', secure: [] };
  const { protocol, pathname, host, hostname } = couch.url;
  // A semicolon ends a directive, but not in quotes; a dollar sign begins a variable in them, too.
  if (/["$\\]/.test(pathname)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `nginx cannot be told the path ${pathname} of couch.url (SHOAL_COUCH): reach CouchDB by one without $ and backslashes.`,
    );
  }
  const secure: readonly Directive[] = [
    ['proxy_ssl_server_name', 'on'],
    ['proxy_ssl_name', hostname],
    ['proxy_ssl_verify', 'on'],
    ['proxy_ssl_trusted_certificate', '/etc/ssl/certs/ca-certificates.crt'],
  ];
  return { scheme: protocol, prefix: pathname.replace(/\/$/, ''), host, secure: protocol === 'https:' ? secure : [] };
}

function upstreamVariable(header: string): string {
  return `$upstream_http_${header.replaceAll('-', '_')}`;
}

function variable(header: string): string {
  return `$shoal_${header.replaceAll('-', '_')}`;
}

function authLocation(): Block {
  return block(
    ['location', '=', AUTH_LOCATION],
    [
      ['internal'],
      ['proxy_pass', `http://${FRONT_AUTH}/`],
      ['proxy_method', 'GET'],
      ['proxy_pass_request_body', 'off'],
      ['proxy_pass_request_headers', 'off'],
      ['proxy_set_header', 'Host', 'localhost'],
      ['proxy_set_header', 'Connection', '""'],
      ['proxy_set_header', 'Content-Length', '""'],
      ['proxy_set_header', CERTIFICATE_HEADER, '$ssl_client_escaped_cert'],
      ['proxy_set_header', METHOD_HEADER, '$request_method'],
      ['proxy_set_header', URI_HEADER, '$request_uri'],
    ],
  );
}

/** In the words, and the shape, of the built-in front. */
function refusals(): readonly Block[] {
  return [
    block(
      ['location', '@refused'],
      [
        block(['if', `($shoal_refusal = ${NOT_FOUND_REFUSAL})`], [answerWith(404, 'not_found', NOTHING)]),
        ...refusal(403, 'permission_denied', 'You are not a member of this network.'),
      ],
    ),
    block(['location', '@unavailable'], refusal(503, 'unavailable', 'This part of the peer does not answer now.')),
    block(
      ['location', '@unauthenticated'],
      [
        ['add_header', 'grpc-status', '$shoal_unauthenticated', 'always'],
        ...refusal(401, 'unauthenticated', 'A valid certificate of this network is needed.'),
      ],
    ),
  ];
}

const NOTHING = 'There is nothing here.';

function nothing(): readonly Directive[] {
  return refusal(404, 'not_found', NOTHING);
}

function refusal(status: number, error: string, reason: string): readonly Directive[] {
  return [JSON_TYPE, answerWith(status, error, reason)];
}

const JSON_TYPE: Directive = ['default_type', 'application/json'];

function answerWith(status: number, error: string, reason: string): Directive {
  return ['return', String(status), `'${JSON.stringify({ error, reason })}\\n'`];
}
