import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerId } from '../chunk/ids.js';
import { claimSocket, closeToOthers } from '../claim-socket.js';
import { ERRORS, StorageError, wrapError } from '../errors.js';
import {
  MAX_FRONT_STRANGERS,
  MAX_HEADER_BYTES,
  MAX_WEB_HEADERS,
  MAX_WEB_REQUESTS_PER_PEER,
  ENROL_BODY_TIMEOUT_MS,
  STRANGER_LIFETIME_MS,
  WEB_BODY_TIMEOUT_MS,
  WEB_HEAD_TIMEOUT_MS,
  WEB_IDLE_TIMEOUT_MS,
} from '../limits.js';
import type { Logger } from '../log.js';
import type { Admission, AnyCall } from './admission.js';
import { addressBlock } from './address-block.js';
import { InProgress } from './in-progress.js';
import { RequestRate } from './request-rate.js';

/** A request of a member over HTTP/1.1. */
export interface WebVisit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Verified by its certificate, and a member. */
  readonly peer: PeerId;
}

/** Answers, also when it fails: nobody waits for it. */
export type WebHandler = (visit: WebVisit) => void;

/** Answers anyone, with a certificate or without: whoever wants to join has none yet. */
export type OpenHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  caller: {
    /** DER: a valid one of this network, whoever's; undefined when none was shown. */
    readonly certificate: Uint8Array | undefined;
  },
) => void;

/** What answers the paths that begin with `prefix`, by these methods. */
export type WebRoute = { readonly prefix: string; readonly methods: readonly string[] } & (
  | { readonly identity: 'member'; readonly handler: WebHandler }
  | {
      readonly identity: 'anyone';
      readonly handler: OpenHandler;
      /** From one address; absent: no bound. On a unix socket the front has counted. */
      readonly requestsPerMinute?: number;
    }
);

export interface WebServerOptions {
  /** Asked for every request, so that a removed peer is out at once, on open connections too. */
  readonly admission: Admission;
  /** Other paths are 404, to members; nobody else is told even that. */
  readonly routes: readonly WebRoute[];
  readonly logger: Logger;
}

/** Answers in the shape of CouchDB's own refusals, with nothing that tells what is running here. */
export function refuseWeb(response: ServerResponse, status: number, error: string, reason: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = `${JSON.stringify({ error, reason })}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    // What is left of the request is not worth reading.
    connection: 'close',
  });
  response.end(body);
}

/** A connection, and what it is given time for. */
class Connection {
  readonly #socket: Socket;
  readonly #isStranger: boolean;
  #timer: NodeJS.Timeout | undefined;
  #busy = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isStranger = socket instanceof TLSSocket && !socket.authorized;
    this.#allow(this.#isStranger ? STRANGER_LIFETIME_MS : WEB_HEAD_TIMEOUT_MS);
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#busy++;
    this.#allow(this.#isStranger ? ENROL_BODY_TIMEOUT_MS : WEB_BODY_TIMEOUT_MS);
    request.once('end', () => clearTimeout(this.#timer));
    response.once('close', () => {
      this.#busy--;
      if (this.#busy === 0) this.#allow(this.#isStranger ? STRANGER_LIFETIME_MS : WEB_HEAD_TIMEOUT_MS);
    });
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The server's own time-outs (headersTimeout, requestTimeout) watch only connections that it accepted itself. */
  #allow(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#socket.destroyed) return;
    this.#timer = setTimeout(() => this.#socket.destroy(), ms);
  }
}

/** HTTP/1.1: on the TLS connections that the gRPC port hands over, behind the same door, or on a unix socket behind a front. */
export class WebServer {
  readonly #options: WebServerOptions;
  readonly #server: Server;
  readonly #connections = new Map<unknown, Connection>();
  readonly #running = new InProgress<PeerId>(MAX_WEB_REQUESTS_PER_PEER);
  readonly #strangers = new InProgress<string>(MAX_FRONT_STRANGERS);
  readonly #rates = new Map<string, RequestRate>();
  /** Requests in progress that were let in. */
  readonly #busy = new Map<ServerResponse, AnyCall>();
  #isClosed = false;

  constructor(options: WebServerOptions) {
    this.#options = options;
    for (const route of options.routes) {
      if (route.identity !== 'anyone' || route.requestsPerMinute === undefined) continue;
      this.#rates.set(route.prefix, new RequestRate(route.requestsPerMinute));
    }
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: WEB_HEAD_TIMEOUT_MS });
    this.#server.maxHeadersCount = MAX_WEB_HEADERS;
    this.#server.timeout = WEB_IDLE_TIMEOUT_MS;
    this.#server.on('connection', (socket) => this.#follow(socket));
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  accept(socket: TLSSocket): void {
    // Its handshake ended after the server did.
    if (this.#isClosed) socket.destroy();
    else this.#server.emit('connection', socket);
  }

  /** @throws StorageError CONFLICT when another process serves that socket */
  async listen(socket: string): Promise<void> {
    await claimSocket(socket);
    try {
      this.#server.listen(socket);
      await once(this.#server, 'listening');
      await closeToOthers(socket);
    } catch (error) {
      this.close();
      throw wrapError(error, `Listening on ${socket}`);
    }
  }

  /** Asks again about every request in progress, and ends those of peers that would not be let in now. */
  expel(): void {
    for (const [response, call] of this.#busy) {
      try {
        this.#options.admission.admit(call);
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'a peer is let in no longer');
        response.destroy();
      }
    }
  }

  /** At once: most of what is in progress waits for changes, and replication repeats the rest. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const connection of this.#connections.values()) connection.destroy();
  }

  #follow(socket: Socket): void {
    const connection = new Connection(socket);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      connection.close();
      this.#connections.delete(socket);
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A pipeline into it has seven of its own: with ours they would be enough for Node to warn of a leak, each time.
    response.setMaxListeners(2 * EventEmitter.defaultMaxListeners);
    this.#connections.get(request.socket)?.begin(request, response);
    try {
      this.#route(request, response);
    } catch (error) {
      const known = error instanceof StorageError ? error : new StorageError('INTERNAL', 'The peer failed.');
      if (known !== error) this.#options.logger.error({ err: error }, 'request failed');
      refuseWeb(response, ERRORS[known.code].http, known.code.toLowerCase(), known.message);
    }
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const { admission, routes } = this.#options;
    const call = callOf(request);
    const { method = '', url = '' } = request;
    const isMeant = ({ prefix, methods }: WebRoute): boolean => url.startsWith(prefix) && methods.includes(method);
    const route = isPlain(url) ? routes.find(isMeant) : undefined;
    if (route?.identity === 'anyone') {
      this.#admitStranger(route.prefix, request, response);
      route.handler(request, response, { certificate: admission.certificate(call) });
      return;
    }
    const peer = admission.admit(call);
    if (route === undefined) {
      refuseWeb(response, 404, 'not_found', 'There is nothing here.');
      return;
    }
    this.#count(peer, response);
    this.#busy.set(response, call);
    response.once('close', () => this.#busy.delete(response));
    route.handler({ request, response, peer });
  }

  /** @throws StorageError UNAVAILABLE */
  #admitStranger(prefix: string, { socket: { remoteAddress } }: IncomingMessage, response: ServerResponse): void {
    const rate = this.#rates.get(prefix);
    if (rate === undefined || remoteAddress === undefined) return;
    if (!rate.allows(remoteAddress)) {
      throw new StorageError('UNAVAILABLE', 'Too many requests from your address. Wait a minute, then try again.');
    }
    const end = this.#strangers.begin(addressBlock(remoteAddress));
    if (end === undefined) {
      throw new StorageError('UNAVAILABLE', 'Too many requests from your address are in progress. Try again later.');
    }
    response.once('close', end);
  }

  #count(peer: PeerId, response: ServerResponse): void {
    const end = this.#running.begin(peer);
    if (end === undefined) {
      throw new StorageError('UNAVAILABLE', 'Too many requests of this peer are in progress. Try again later.');
    }
    response.once('close', end);
  }
}

/** No path of Shoal has anything that two programs might read in two ways: `..`, `//`, `%2e`. */
function isPlain(url: string): boolean {
  const [path = ''] = url.split('?', 1);
  return !/[%\\]|\/\/|\/\.{1,2}(?:\/|$)/.test(path);
}

/** As gRPC's admission knows a caller. */
function callOf({ socket, headersDistinct }: IncomingMessage): AnyCall {
  // Its certificate is an object without fields when none was shown.
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
  const isShown = certificate !== undefined && Object.keys(certificate).length > 0;
  return {
    metadata: { get: (name) => headersDistinct[name] ?? [] },
    getAuthContext: () => ({
      transportSecurityType: 'ssl',
      ...(isShown ? { sslPeerCertificate: certificate } : {}),
    }),
  };
}
