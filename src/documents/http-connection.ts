import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { StorageError, wrapError } from '../errors.js';
import { HOSTING_CALL_TIMEOUT_MS, HOSTING_CONNECTIONS, MAX_DOCUMENTS_REPLY_BYTES } from '../limits.js';
import { requestHeaders } from '../request-context.js';
import { errorOf } from './http-errors.js';
import { POUCHDB, readSecret } from './hosting-secret.js';

export interface HostingAddress {
  /** Path of the unix socket. */
  readonly socket: string;
  readonly secretFile: string;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Has a connection of its own, so that it keeps no other call waiting. */
  readonly waits?: boolean;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Unused connections are closed before the server would: a request on one that it just closed fails. */
const KEEP_ALIVE_MS = 30_000;

/** Calls to PouchDB hosting on its unix socket. */
export class HttpConnection {
  readonly #address: HostingAddress;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: HOSTING_CONNECTIONS, timeout: KEEP_ALIVE_MS });
  readonly #feeds = new Agent({ keepAlive: true, timeout: KEEP_ALIVE_MS });
  #secret: Promise<string> | undefined;
  #isClosed = false;

  constructor(address: HostingAddress) {
    this.#address = address;
  }

  /**
   * @returns what the reply says, parsed
   * @throws StorageError as the server said, UNAVAILABLE when nobody answers, TIMEOUT
   */
  async call(method: string, path: string, options: CallOptions = {}): Promise<unknown> {
    let reply = await this.#authenticated(method, path, options);
    if (reply.status === 401) {
      // The secret may have been made anew since it was read.
      this.#secret = undefined;
      reply = await this.#authenticated(method, path, options);
    }
    const body = this.#parse(reply);
    if (reply.status >= 400) throw errorOf(reply.status, body, `PouchDB hosting at ${this.#address.socket}`);
    return body;
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
    this.#feeds.destroy();
  }

  unavailable(cause?: unknown): StorageError {
    const message = `PouchDB hosting does not answer at ${this.#address.socket}: start it with \`shoal serve pouchdb\`.`;
    return new StorageError('UNAVAILABLE', message, { cause });
  }

  async #authenticated(method: string, path: string, options: CallOptions): Promise<Reply> {
    if (this.#isClosed) throw new StorageError('UNAVAILABLE', 'The connection to PouchDB hosting was closed.');
    this.#secret ??= readSecret(this.#address.secretFile, POUCHDB);
    let secret: string;
    try {
      secret = await this.#secret;
    } catch (error) {
      this.#secret = undefined;
      throw StorageError.is(error, 'NOT_FOUND') ? this.unavailable(error) : error;
    }
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers = {
      ...requestHeaders(),
      authorization: `Bearer ${secret}`,
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    return this.#send({ method, path, headers }, text, options);
  }

  async #send(head: RequestOptions, text: string | undefined, options: CallOptions): Promise<Reply> {
    const { signal } = options;
    signal?.throwIfAborted();
    for (let attempt = 0; ; attempt++) {
      const exchange = this.#exchange(head, text, options);
      try {
        return await exchange.reply;
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        // The server closed an idle connection just when we took it. Every call may be sent twice: a write says what is
        // to be there, not what to add.
        if (attempt === 0 && exchange.isReused() && isBroken(error)) continue;
        if (error instanceof StorageError) throw error;
        const wrapped = wrapError(error, 'Asking PouchDB hosting');
        throw isBroken(error) || wrapped.code === 'NOT_FOUND' ? this.unavailable(error) : wrapped;
      }
    }
  }

  #exchange(
    head: RequestOptions,
    text: string | undefined,
    { timeoutMs = HOSTING_CALL_TIMEOUT_MS, signal, waits = false }: CallOptions,
  ): { readonly reply: Promise<Reply>; readonly isReused: () => boolean } {
    const request = httpRequest({
      ...head,
      socketPath: this.#address.socket,
      agent: waits ? this.#feeds : this.#agent,
      ...(signal && { signal }),
    });
    const late = setTimeout(() => {
      request.destroy(new StorageError('TIMEOUT', `PouchDB hosting took more than ${String(timeoutMs / 1000)} s.`));
    }, timeoutMs);
    const reply = new Promise<Reply>((resolve, reject) => {
      request.once('error', reject);
      request.once('response', (response) => {
        readWhole(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
      });
    }).finally(() => clearTimeout(late));
    request.end(text);
    return { reply, isReused: () => request.reusedSocket };
  }

  #parse({ status, text }: Reply): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      // A feed that was cut off in the middle, or somebody else's socket.
      throw new StorageError('UNAVAILABLE', `PouchDB hosting broke its reply off (status ${String(status)}).`, {
        cause: error,
      });
    }
  }
}

function isBroken(error: unknown): boolean {
  const codes = ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ENOENT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_DOCUMENTS_REPLY_BYTES) {
      throw new StorageError('LIMIT_EXCEEDED', 'PouchDB hosting sent more than can be held in memory.');
    }
  }
  return Buffer.concat(parts).toString('utf8');
}
