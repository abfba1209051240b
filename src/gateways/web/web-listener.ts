import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StorageError, wrapError } from '../../errors.js';
import { parseAddress } from '../../front/address.js';
import { BROWSER_HEAD_MS, BROWSER_IDLE_MS, MAX_BROWSER_CONNECTIONS, MAX_WEB_HEADERS } from '../../limits.js';

/** Bytes of a request's head: a path of MAX_PATH_BYTES, percent-encoded, and what browsers send with it. */
const MAX_HEAD_BYTES = 32 * 1024;
/** Below the idle times of proxies in use, so that none sends a request into a connection that is being closed. */
const KEEP_ALIVE_MS = 75_000;

/** The TCP port of browsers. Plain HTTP: on this machine, or behind a proxy that speaks TLS. */
export class WebListener implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws StorageError UNAVAILABLE for a port that is taken */
  static async open(address: string, handler: RequestListener): Promise<WebListener> {
    const { host, port } = parseAddress(address);
    const server = createServer(
      {
        headersTimeout: BROWSER_HEAD_MS,
        // Of a whole upload: as long as it moves. What does not is ended below.
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEAD_BYTES,
        connectionsCheckingInterval: BROWSER_HEAD_MS / 2,
      },
      handler,
    );
    server.maxHeadersCount = MAX_WEB_HEADERS;
    server.maxConnections = MAX_BROWSER_CONNECTIONS;
    server.timeout = BROWSER_IDLE_MS;
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (error) {
      throw taken(address, error);
    }
    return new WebListener(server);
  }

  /** As it came out: with port 0 the system chose. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function taken(address: string, cause: unknown): StorageError {
  const { message } = wrapError(cause, `Listening on ${address} for the web UI`);
  return new StorageError(
    'UNAVAILABLE',
    `${message}. Another program, or another peer of this machine, uses the port: stop it, choose another with the setting "web" (SHOAL_WEB), or go without by SHOAL_WEB=off.`,
    { cause },
  );
}
