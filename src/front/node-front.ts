import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { certificateToPem } from '../crypto/certificates.js';
import { StorageError } from '../errors.js';
import { CLOSE_GRACE_MS, MAX_FRONT_SESSION_MIB } from '../limits.js';
import { admissionByTls, escapeCertificate } from '../wire/admission.js';
import { Connections } from '../wire/connections.js';
import { secureContextOptions } from '../wire/tls.js';
import { WebServer } from '../wire/web-server.js';
import { http2Bounds, secureServer, widenSession } from '../wire/windows.js';
import { absenceOf } from './absence.js';
import { parseAddress, portTaken } from './address.js';
import type { Front, FrontOptions } from './front.js';
import { couchRelay, webRelay } from './relay-web.js';
import { GrpcRelay, refuseCall } from './relay-grpc.js';
import { FRONT_AUTH, routeOf, ROUTES } from './routes.js';
import { webRoutes } from './web-routes.js';

/** The built-in front: terminates TLS, and sends streams and requests on to the unix sockets of the services. */
export class NodeFront implements Front {
  readonly #options: FrontOptions;
  readonly #server: Http2SecureServer;
  readonly #web: WebServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #connections: Connections;
  #closed: Promise<void> | undefined;

  private constructor(options: FrontOptions) {
    this.#options = options;
    this.#web = openWeb(options);
    const context = secureContextOptions(options.tls);
    this.#server = createSecureServer({
      ...http2Bounds(true),
      ...context,
      requestCert: true,
      maxSessionMemory: MAX_FRONT_SESSION_MIB,
    });
    this.#server.on('session', (session: ServerHttp2Session) => this.#follow(session));
    this.#server.on('sessionError', () => undefined);
    this.#connections = new Connections(this.#server);
    secureServer(this.#server, { tls: context, web: (socket) => this.#web.accept(socket) });
  }

  /** @throws StorageError UNAVAILABLE when the address cannot be listened on */
  static async open(options: FrontOptions): Promise<NodeFront> {
    const front = new NodeFront(options);
    const { host, port } = parseAddress(options.address);
    try {
      front.#server.listen(port, host);
      await once(front.#server, 'listening');
    } catch (error) {
      throw portTaken(options.address, error);
    }
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async renew(): Promise<void> {
    this.#server.setSecureContext(secureContextOptions(this.#options.tls));
  }

  #follow(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => undefined);
    widenSession(session);
    const relay = new GrpcRelay(session);
    const certificate = shownOn(session.socket);
    session.on('stream', (stream, headers) => {
      const { ':path': path = '', ':method': method = '' } = headers;
      const route = routeOf(path);
      if (certificate === undefined) refuseStranger(stream);
      else if (route?.protocol !== 'grpc' || !route.methods.includes(method)) refuseNobodys(stream);
      else {
        relay.relay(stream, headers, {
          socket: this.#options.socketOf(route.upstream),
          absence: absenceOf(route.upstream),
          certificate,
          idleMs: route.limits.idleMs,
        });
      }
    });
  }

  /** Streams get CLOSE_GRACE_MS to end. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#web.close();
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => this.#connections.sever(), CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
  }
}

function openWeb({ tls, socketOf, couch, logger }: FrontOptions): WebServer {
  const enrolment = ROUTES.find(({ upstream }) => upstream === 'enrolment');
  return new WebServer({
    // Members are known to the services, and asked for there.
    admission: admissionByTls({ authority: tls.authority, isMember: () => true, nowMs: Date.now }),
    routes: webRoutes({
      couchdb: couchRelay({ authSocket: socketOf(FRONT_AUTH), target: couch, certificateOf, logger }),
      ...(enrolment && {
        enrolment: webRelay({
          socket: socketOf('enrolment'),
          limits: enrolment.limits,
          absence: absenceOf('enrolment'),
          logger,
        }),
      }),
    }),
    logger,
  });
}

/** @throws StorageError UNAUTHENTICATED, which WebServer has excluded */
function certificateOf({ socket }: IncomingMessage): string {
  const shown = pemOf(socket);
  if (shown === undefined) throw new StorageError('UNAUTHENTICATED', 'A valid certificate of this network is needed.');
  return shown;
}

function shownOn(socket: unknown): string | undefined {
  const pem = pemOf(socket);
  return pem === undefined ? undefined : escapeCertificate(pem);
}

function pemOf(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { raw } = socket.getPeerCertificate() as { readonly raw?: Uint8Array };
  return raw && certificateToPem(raw);
}

function refuseStranger(stream: ServerHttp2Stream): void {
  refuseCall(
    stream,
    'UNAUTHENTICATED',
    'A valid certificate of this network is needed: yours is missing, expired or of another authority.',
  );
}

function refuseNobodys(stream: ServerHttp2Stream): void {
  refuseCall(stream, 'UNSUPPORTED', 'There is nothing here.');
}
