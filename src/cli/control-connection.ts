import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrorCode, StorageError, wrapError } from '../errors.js';
import type { ProblemReply } from '../gateways/http/api.js';
import { MAX_CONTROL_LINE_BYTES, MAX_CONTROL_REPLY_BYTES, MAX_PROBLEM_BYTES } from '../limits.js';
import { socketPath } from '../socket-path.js';
import { splitLines } from '../gateways/http/ndjson.js';

export interface ControlRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** "/v1/stat". */
  readonly route: string;
  /** An undefined value is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ControlBody;
  readonly signal: AbortSignal;
}

/** `stream` is closed by the connection, also when the request fails; what it throws must be a StorageError. */
export type ControlBody =
  { readonly json: unknown } | { readonly type: string; readonly stream: AsyncIterable<Uint8Array | string> };

interface Exchange {
  readonly response: http.IncomingMessage;
  /** Turns what ended the exchange early into what the caller should see. */
  explain(error: unknown): unknown;
  /** Drops the socket unless the exchange is over; the daemon takes that as a cancellation. */
  close(): void;
}

/** HTTP to the daemon of one home. Sockets are kept for the next request until `close`. */
export class ControlConnection implements AsyncDisposable {
  readonly #home: string;
  readonly #user: string | undefined;
  readonly #agent = new http.Agent({ keepAlive: true });

  /** Opens no socket: the first request does. */
  constructor(home: string, user?: string) {
    this.#home = home;
    this.#user = user;
  }

  /** A reply that is one JSON value; undefined for 204. */
  async json(request: ControlRequest): Promise<unknown> {
    const exchange = await this.#open(request);
    try {
      const text = await readText(exchange.response, MAX_CONTROL_REPLY_BYTES);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    } catch (error) {
      throw exchange.explain(error);
    } finally {
      exchange.close();
    }
  }

  /** A reply of JSON lines, each as it arrives, also while the request's body is still being sent. */
  async *lines(request: ControlRequest): AsyncGenerator {
    const exchange = await this.#open(request);
    try {
      for await (const line of splitLines(exchange.response, MAX_CONTROL_LINE_BYTES)) yield JSON.parse(line) as unknown;
    } catch (error) {
      throw exchange.explain(error);
    } finally {
      exchange.close();
    }
  }

  /** A reply of bytes. Fails when it ends early, so that a cut file is never taken for a whole one. */
  async *bytes(request: ControlRequest): AsyncGenerator<Uint8Array> {
    const exchange = await this.#open(request);
    try {
      for await (const part of exchange.response) yield part as Uint8Array;
    } catch (error) {
      throw exchange.explain(error);
    } finally {
      exchange.close();
    }
  }

  close(): Promise<void> {
    this.#agent.destroy();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(request: ControlRequest): Promise<Exchange> {
    request.signal.throwIfAborted();
    const outgoing = http.request({
      socketPath: socketPath(this.#home, 'control'),
      agent: this.#agent,
      method: request.method,
      path: request.route + queryText(request.query),
      headers: this.#headers(request),
      signal: request.signal,
    });
    let bodyError: unknown;
    const explain = (error: unknown): unknown => {
      if (request.signal.aborted) return request.signal.reason;
      return bodyError ?? this.#wrap(error);
    };
    const close = (): void => {
      outgoing.destroy();
    };
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.on('error', reject); // stays: an error after the response is reported by the response's own stream
    });
    void sendBody(request.body, outgoing).catch((error: unknown) => {
      // Whatever else ends the sending is the socket's own failure, which the response reports too.
      if (StorageError.is(error)) bodyError = error;
    });
    try {
      const response = await answered;
      if ((response.statusCode ?? 500) >= 400) throw await readProblem(response);
      return { response, explain, close };
    } catch (error) {
      close();
      throw explain(error);
    }
  }

  #headers(request: ControlRequest): Record<string, string> {
    const user = this.#user === undefined ? {} : { 'x-shoal-user': encodeURIComponent(this.#user) };
    const headers: Record<string, string> = { ...user, ...request.headers };
    if (request.body !== undefined)
      headers['content-type'] = 'json' in request.body ? 'application/json' : request.body.type;
    return headers;
  }

  #wrap(error: unknown): StorageError {
    if (isSystemError(error, 'ENOENT', 'ECONNREFUSED', 'ENOTSOCK')) {
      return new StorageError(
        'UNAVAILABLE',
        `No Shoal peer runs in ${this.#home}: start it with \`shoal serve\` or \`shoal devnet up\`, or choose another with --home.`,
        { cause: error },
      );
    }
    if (isTransportError(error)) {
      return new StorageError('UNAVAILABLE', `The Shoal peer in ${this.#home} broke off: see its log, and try again.`, {
        cause: error,
      });
    }
    return wrapError(error, 'Asking the Shoal peer');
  }
}

async function sendBody(body: ControlBody | undefined, outgoing: http.ClientRequest): Promise<void> {
  if (body === undefined) outgoing.end();
  else if ('json' in body) outgoing.end(JSON.stringify(body.json));
  else await pipeline(Readable.from(body.stream, { objectMode: false }), outgoing);
}

function queryText(query: ControlRequest['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function readText(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    const buffer = part as Buffer;
    bytes += buffer.length;
    if (bytes > maxBytes)
      throw new StorageError('LIMIT_EXCEEDED', `The reply is longer than ${String(maxBytes)} bytes.`);
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString();
}

async function readProblem(response: http.IncomingMessage): Promise<StorageError> {
  const text = await readText(response, MAX_PROBLEM_BYTES);
  try {
    const { code, message } = JSON.parse(text) as Partial<ProblemReply>;
    if (isErrorCode(code) && typeof message === 'string') return new StorageError(code, message);
  } catch {
    // not JSON: somebody else answers on this socket, which the sentence below says
  }
  const status = String(response.statusCode);
  return new StorageError(
    'INTERNAL',
    `The Shoal peer answered with HTTP status ${status}: CLI and peer may differ in version.`,
  );
}

function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The socket's end, as seen by whichever of its streams noticed first. */
function isTransportError(error: unknown): boolean {
  return isSystemError(error, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED');
}
