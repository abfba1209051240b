import { join } from 'node:path';
import {
  CONNECT_TIMEOUT_MS,
  HANDSHAKE_TIMEOUT_MS,
  MAX_STREAMS_PER_CONNECTION,
  NGINX_ANSWER_BUFFER_BYTES,
  NGINX_BODY_BUFFER_BYTES,
  NGINX_IDLE_UPSTREAMS,
  NGINX_STREAMS_PER_CONNECTION,
  NGINX_WORKER_CONNECTIONS,
  WEB_IDLE_TIMEOUT_MS,
} from '../limits.js';
import type { CouchTarget } from '../wire/couch-route.js';
import { CIPHER_SUITES } from '../wire/tls.js';
import { PID_FILE } from './nginx-process.js';
import { PEERS_ZONE, routeBlocks, STRANGERS_ZONE, UNAUTHENTICATED, zoneOf } from './nginx-routes.js';
import { ADDRESS_VARIABLE, addressMap } from './nginx-address.js';
import { block, quote, render, seconds, type Block, type Directive } from './nginx-text.js';
import { FRONT_AUTH, ROUTES } from './routes.js';

/** What differs from peer to peer, and from nginx to nginx. */
export interface NginxSettings {
  /** "host:port". */
  readonly address: string;
  /** PEM files. */
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
  /** As FrontOptions has it. */
  readonly socketOf: (name: string) => string;
  readonly couch: CouchTarget;
  /** For nginx's own files: pid, temporary folders. */
  readonly folder: string;
  /** Whom the workers run as; absent: as whoever starts nginx, which may not be root then. */
  readonly user?: string;
  /** From 1.25.1 on `http2` is a directive of its own. */
  readonly version: readonly [number, number, number];
}

/** The whole configuration of nginx, from the routing table. */
export function nginxConfig(settings: NginxSettings): string {
  const { folder, user } = settings;
  return render([
    ...(user === undefined ? [] : [['user', quote(user)] as const]),
    ['worker_processes', 'auto'],
    ['worker_rlimit_nofile', String(2 * NGINX_WORKER_CONNECTIONS)],
    ['pid', quote(join(folder, PID_FILE))],
    ['error_log', 'stderr', 'warn'],
    block(['events'], [['worker_connections', String(NGINX_WORKER_CONNECTIONS)]]),
    block(
      ['http'],
      [
        ['access_log', 'off'],
        ['server_tokens', 'off'],
        ['default_type', 'application/octet-stream'],
        ...temporaryPaths(folder),
        ...zones(),
        grpcRefusals(),
        ...upstreams(settings),
        server(settings),
      ],
    ),
  ]);
}

/** Nothing is ever written there, yet nginx makes all of them when it starts, and its own belong to root. */
function temporaryPaths(folder: string): readonly Directive[] {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => [
    `${name}_temp_path`,
    quote(join(folder, `${name}.tmp`)),
  ]);
}

function zones(): readonly Directive[] {
  const rates = ROUTES.flatMap((route): Directive[] => {
    const { requestsPerMinute } = route.limits;
    if (requestsPerMinute === undefined) return [];
    return [['limit_req_zone', ADDRESS_VARIABLE, `zone=${zoneOf(route)}:1m`, `rate=${String(requestsPerMinute)}r/m`]];
  });
  return [
    addressMap(),
    ['limit_conn_zone', '$ssl_client_fingerprint', `zone=${PEERS_ZONE}:1m`],
    ['limit_conn_zone', ADDRESS_VARIABLE, `zone=${STRANGERS_ZONE}:1m`],
    ...rates,
  ];
}

/** A gRPC client reads the reason from headers that mean nothing to others; add_header leaves out what is empty. */
function grpcRefusals(): Block {
  return block(
    ['map', '$http_content_type', '$shoal_unauthenticated'],
    [
      ['default', '""'],
      ['~^application/grpc', '16'],
    ],
  );
}

function upstreams({ socketOf, couch }: NginxSettings): readonly Directive[] {
  const unix = [...new Set(ROUTES.map(({ upstream }) => upstream)), FRONT_AUTH].filter((name) => name !== 'couchdb');
  return [
    ...unix.map((name) => upstream(name, quote(`unix:${socketOf(name)}`))),
    upstream('couchdb', 'socket' in couch ? quote(`unix:${couch.socket}`) : couchHost(couch.url)),
  ];
}

function couchHost({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

function upstream(name: string, address: string): Block {
  return block(
    ['upstream', name],
    [
      ['server', address],
      ['keepalive', String(NGINX_IDLE_UPSTREAMS)],
      ['keepalive_requests', String(NGINX_STREAMS_PER_CONNECTION)],
    ],
  );
}

function server(settings: NginxSettings): Block {
  const { address, key, certificate, authority, version } = settings;
  const [major, minor, patch] = version;
  const hasDirective = major > 1 || minor > 25 || (minor === 25 && patch >= 1);
  return block(
    ['server'],
    [
      hasDirective ? ['listen', address, 'ssl'] : ['listen', address, 'ssl', 'http2'],
      ...(hasDirective ? [['http2', 'on'] as const] : []),
      ['ssl_protocols', 'TLSv1.3'],
      ['ssl_conf_command', 'Ciphersuites', CIPHER_SUITES],
      ['ssl_prefer_server_ciphers', 'on'],
      ['ssl_certificate', quote(certificate)],
      ['ssl_certificate_key', quote(key)],
      ['ssl_client_certificate', quote(authority)],
      // For whoever wants to join; every other route refuses who has shown none.
      ['ssl_verify_client', 'optional'],
      ['ssl_verify_depth', '1'],
      // A resumed session would carry a certificate that has expired meanwhile.
      ['ssl_session_cache', 'off'],
      ['ssl_session_tickets', 'off'],
      ...timeouts(),
      UNAUTHENTICATED,
      ...routeBlocks(settings),
    ],
  );
}

function timeouts(): readonly Directive[] {
  return [
    // Of the TLS handshake, too.
    ['client_header_timeout', seconds(HANDSHAKE_TIMEOUT_MS)],
    ['client_header_buffer_size', '2k'],
    ['large_client_header_buffers', '2', '4k'],
    ['keepalive_timeout', seconds(WEB_IDLE_TIMEOUT_MS)],
    ['keepalive_time', '24h'],
    ['keepalive_requests', String(NGINX_STREAMS_PER_CONNECTION)],
    ['reset_timedout_connection', 'on'],
    ['http2_max_concurrent_streams', String(MAX_STREAMS_PER_CONNECTION)],
    ['http2_body_preread_size', String(NGINX_BODY_BUFFER_BYTES)],
    ['http2_chunk_size', String(NGINX_ANSWER_BUFFER_BYTES)],
    ['client_body_buffer_size', String(NGINX_BODY_BUFFER_BYTES)],
    ['grpc_buffer_size', String(NGINX_ANSWER_BUFFER_BYTES)],
    ['grpc_connect_timeout', seconds(CONNECT_TIMEOUT_MS)],
    ['proxy_connect_timeout', seconds(CONNECT_TIMEOUT_MS)],
    ['proxy_http_version', '1.1'],
    ['proxy_request_buffering', 'off'],
    ['proxy_buffering', 'off'],
    ['proxy_max_temp_file_size', '0'],
    ['limit_conn_status', '503'],
    ['limit_req_status', '503'],
  ];
}
