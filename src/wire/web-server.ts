import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerId } from '../chunk/ids.js';
import { ERRORS, StorageError } from '../errors.js';
import {
  MAX_HEADER_BYTES,
  MAX_WEB_HEADERS,
  MAX_WEB_REQUESTS_PER_PEER,
  STRANGER_LIFETIME_MS,
  WEB_BODY_TIMEOUT_MS,
  WEB_HEAD_TIMEOUT_MS,
  WEB_IDLE_TIMEOUT_MS,
} from '../limits.js';
import type { Logger } from '../log.js';
import type { Admit } from './admission.js';

/** A request of a member over HTTP/1.1. */
export interface WebVisit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Verified by its certificate, and a member. */
  readonly peer: PeerId;
}

/** Answers, also when it fails: nobody waits for it. */
export type WebHandler = (visit: WebVisit) => void;

export interface WebServerOptions {
  /** Asked for every request, so that a removed peer is out at once, on open connections too. */
  readonly admit: Admit;
  readonly handler: WebHandler;
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
  readonly #socket: TLSSocket;
  #timer: NodeJS.Timeout | undefined;
  #busy = 0;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#allow(socket.authorized ? WEB_HEAD_TIMEOUT_MS : STRANGER_LIFETIME_MS);
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#busy++;
    this.#allow(WEB_BODY_TIMEOUT_MS);
    request.once('end', () => clearTimeout(this.#timer));
    response.once('close', () => {
      this.#busy--;
      if (this.#busy === 0) this.#allow(WEB_HEAD_TIMEOUT_MS);
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

/** HTTP/1.1 on the TLS connections that the gRPC port hands over, behind the same door. */
export class WebServer {
  readonly #options: WebServerOptions;
  readonly #server: Server;
  readonly #connections = new Map<unknown, Connection>();
  readonly #running = new Map<PeerId, number>();
  /** With a request in progress that was let in. */
  readonly #busy = new Set<Socket>();

  constructor(options: WebServerOptions) {
    this.#options = options;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: WEB_HEAD_TIMEOUT_MS });
    this.#server.maxHeadersCount = MAX_WEB_HEADERS;
    this.#server.timeout = WEB_IDLE_TIMEOUT_MS;
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  accept(socket: TLSSocket): void {
    const connection = new Connection(socket);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      connection.close();
      this.#connections.delete(socket);
    });
    this.#server.emit('connection', socket);
  }

  /** Asks again about every connection with a request in progress, and closes those of peers that would not be let in now. */
  expel(): void {
    for (const socket of this.#busy) {
      try {
        this.#options.admit(callOf(socket));
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'a peer is let in no longer');
        socket.destroy();
      }
    }
  }

  /** At once: most of what is in progress waits for changes, and replication repeats the rest. */
  close(): void {
    for (const connection of this.#connections.values()) connection.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A pipeline into it has seven of its own: with ours they would be enough for Node to warn of a leak, each time.
    response.setMaxListeners(2 * EventEmitter.defaultMaxListeners);
    this.#connections.get(request.socket)?.begin(request, response);
    try {
      const peer = this.#options.admit(callOf(request.socket));
      this.#count(peer, response);
      this.#busy.add(request.socket);
      response.once('close', () => this.#busy.delete(request.socket));
      this.#options.handler({ request, response, peer });
    } catch (error) {
      const known = error instanceof StorageError ? error : new StorageError('INTERNAL', 'The peer failed.');
      if (known !== error) this.#options.logger.error({ err: error }, 'request failed');
      refuseWeb(response, ERRORS[known.code].http, known.code.toLowerCase(), known.message);
    }
  }

  #count(peer: PeerId, response: ServerResponse): void {
    const running = this.#running.get(peer) ?? 0;
    if (running >= MAX_WEB_REQUESTS_PER_PEER) {
      throw new StorageError('UNAVAILABLE', 'Too many requests of this peer are in progress. Try again later.');
    }
    this.#running.set(peer, running + 1);
    response.once('close', () => {
      const left = (this.#running.get(peer) ?? 1) - 1;
      if (left === 0) this.#running.delete(peer);
      else this.#running.set(peer, left);
    });
  }
}

/** As gRPC's admission knows a caller. */
function callOf(socket: Socket): Parameters<Admit>[0] {
  // Its certificate is an object without fields when none was shown.
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
  const isShown = certificate !== undefined && Object.keys(certificate).length > 0;
  return {
    getAuthContext: () => ({
      transportSecurityType: 'ssl',
      ...(isShown ? { sslPeerCertificate: certificate } : {}),
    }),
  };
}
