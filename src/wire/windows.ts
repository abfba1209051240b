import type { Http2SecureServer, Http2Server, SecureServerOptions, ServerHttp2Session } from 'node:http2';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { assert } from '../errors.js';
import {
  CONNECTION_WINDOW_BYTES,
  HANDSHAKE_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_STREAMS_PER_CONNECTION,
  STRANGER_LIFETIME_MS,
  STREAM_WINDOW_BYTES,
} from '../limits.js';
import { Connections } from './connections.js';

/** A server that has been widened. */
export interface Widened {
  /** Whether grpc-js made its HTTP/2 server through the seam; true once it listens. */
  used(): boolean;
  /** Cuts every connection, also those that are still in their handshake: grpc-js's forceShutdown does not know them. */
  sever(): void;
  /** New connections use this certificate; the others go on with theirs. */
  renew(context: SecureContextOptions): void;
}

/** Gets the connections that speak HTTP/1.1. */
export type TakeOver = (socket: TLSSocket) => void;

/** How the connections of a server are protected. */
export type Protection =
  | {
      readonly tls: SecureContextOptions;
      /** Absent: HTTP/1.1 is not offered. */
      readonly web?: TakeOver | undefined;
    }
  /** A unix socket: its folder lets nobody else in, and the front behind it has limits of its own. */
  | 'socket';

/**
 * The one place that reaches behind grpc-js's public API. Its server has no option for HTTP/2 receive windows and leaves
 * them at 64 KiB (RFC 9113 section 6.9.2), so a chunk stops 64 times to wait for a WINDOW_UPDATE: raising them halves the
 * CPU time of an upload. It has no option for TLS versions, cipher suites or the size of headers either.
 *
 * The seam: `commonServerOptions` is what grpc-js 1.14 passes to `http2.createSecureServer`, and `createHttp2Server` is
 * where it does so. When an upgrade moves either, opening a server fails here instead of becoming slow or lax.
 */
export function widenServer(server: Server, protection: Protection): Widened {
  const common: unknown = Reflect.get(server, 'commonServerOptions');
  const create: unknown = Reflect.get(server, 'createHttp2Server');
  assert(typeof common === 'object' && common !== null, 'grpc-js has no Server.commonServerOptions any more');
  assert(typeof create === 'function', 'grpc-js has no Server.createHttp2Server any more');

  Object.assign(common, http2Bounds(protection !== 'socket' && protection.web !== undefined));
  const connections: Connections[] = [];
  const secured: Http2SecureServer[] = [];
  let used = false;
  Reflect.set(server, 'createHttp2Server', (credentials: unknown) => {
    const http2Server = Reflect.apply(create, server, [credentials]) as Http2Server | Http2SecureServer;
    if (protection !== 'socket') {
      const secure = http2Server as Http2SecureServer;
      secureServer(secure, protection);
      secured.push(secure);
    }
    connections.push(new Connections(http2Server));
    http2Server.on('session', widenSession);
    used = true;
    return http2Server;
  });
  return {
    used: () => used,
    sever: () => {
      for (const each of connections) each.sever();
    },
    renew: (context) => {
      for (const secure of secured) secure.setSecureContext(context);
    },
  };
}

/** A server that was made with http2Bounds. */
export function secureServer(http2Server: Http2SecureServer, { tls, web }: Exclude<Protection, 'socket'>): void {
  http2Server.setSecureContext(tls);
  http2Server.maxConnections = MAX_CONNECTIONS;
  if (web !== undefined) divert(http2Server, web);
}

/** What Node's HTTP/2 server is to announce and to bear, behind grpc-js or as the built-in front. */
export function http2Bounds(hasWeb: boolean): SecureServerOptions {
  return {
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
    // A stranger is let into the connection only to be told why it is refused: admission.ts checks every call.
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // Only offers it to TLS clients (ALPN); Node's own HTTP/1.1 would wrap every gRPC stream in a request as well.
    allowHTTP1: hasWeb,
  };
}

/** Once per connection: what speaks HTTP/2 goes the way it always went. */
function divert(http2Server: Http2SecureServer, web: TakeOver): void {
  const listeners = http2Server.listeners('secureConnection');
  assert(listeners.length > 0, 'an HTTP/2 server of Node no longer listens for secureConnection');
  http2Server.removeAllListeners('secureConnection');
  http2Server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') {
      for (const listener of listeners) Reflect.apply(listener, http2Server, [socket]);
    } else {
      web(socket);
    }
  });
}

/** Raises the window of a connection; one of a stranger does not last. */
export function widenSession(session: ServerHttp2Session): void {
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  if (session.encrypted !== true || (session.socket as TLSSocket).authorized) return;
  const timer = setTimeout(() => {
    session.destroy();
  }, STRANGER_LIFETIME_MS);
  session.once('close', () => {
    clearTimeout(timer);
  });
}
