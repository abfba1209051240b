import { request as requestHttp, type IncomingMessage, type ClientRequest, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Socket } from 'node:net';
import { StorageError, wrapError } from './errors.js';
import { CONNECT_TIMEOUT_MS } from './limits.js';
import { requestHeaders } from './request-context.js';

/** One request to a database server. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From "/" on, with its query. */
  readonly path: string;
  /** Of a JSON body. */
  readonly body?: string;
  /** The other side may be silent for this long. */
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  /** Has to be read, or left by an early return, which ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Where requests go, and as whom. @throws StorageError UNAVAILABLE, TIMEOUT, UNAUTHENTICATED */
export type HttpSend = (call: HttpCall) => Promise<HttpReply>;

const SLICE_CHARS = 64 * 1024;

/** Ends a request whose other side is silent for too long. */
class Patience {
  readonly #request: ClientRequest;
  readonly #idleMs: number;
  #timer: NodeJS.Timeout;
  #failure: StorageError | undefined;

  constructor(request: ClientRequest, idleMs: number) {
    this.#request = request;
    this.#idleMs = idleMs;
    this.#timer = this.#arm(Math.min(idleMs, CONNECT_TIMEOUT_MS));
    request.once('socket', (socket: Socket) => {
      if (!socket.connecting) this.renew();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.renew());
    });
    request.once('close', () => clearTimeout(this.#timer));
  }

  /** Set once the request was ended for this; a reply in progress then fails with something else. */
  get failure(): StorageError | undefined {
    return this.#failure;
  }

  renew(): void {
    clearTimeout(this.#timer);
    if (!this.#request.destroyed) this.#timer = this.#arm(this.#idleMs);
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#failure = new StorageError('TIMEOUT', `No answer for ${String(Math.ceil(ms / 1000))} s.`);
      this.#request.destroy(this.#failure);
    }, ms);
  }
}

/** OpenSSL's and Node's words for a certificate, or a refusal of ours, that does not do. */
const CERTIFICATE_TROUBLE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|EPROTO)/;

function refuse(error: unknown, where: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (CERTIFICATE_TROUBLE.test(code)) {
    return new StorageError(
      'UNAUTHENTICATED',
      `${where} showed no certificate of this network, or did not take ours (${code}). Check the address and the clocks.`,
      { cause: error },
    );
  }
  const wrapped = wrapError(error, `Asking ${where}`);
  return wrapped.code === 'INTERNAL' ? new StorageError('UNAVAILABLE', wrapped.message, { cause: error }) : wrapped;
}

function* slices(text: string, patience: Patience): Iterable<string> {
  for (let at = 0; at < text.length;) {
    // Half of a surrogate pair alone would be written as U+FFFD.
    const end = at + SLICE_CHARS;
    const isHigh = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    patience.renew();
    yield text.slice(at, isHigh ? end - 1 : end);
    at = isHigh ? end - 1 : end;
  }
}

/**
 * Makes one request.
 *
 * @param place host, port, agent, headers
 * @param where the other side, in words a user knows: "backup host 1f2e3d…"
 */
export async function httpCall(place: RequestOptions, call: HttpCall, where: string): Promise<HttpReply> {
  const { method, path, body, idleTimeoutMs, signal } = call;
  signal.throwIfAborted();
  const send = place.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = {
    ...(place.headers as Record<string, string> | undefined),
    ...requestHeaders(),
    accept: 'application/json',
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
  };
  const request = send({ ...place, method, path, headers, signal });
  const patience = new Patience(request, idleTimeoutMs);
  const reply = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  try {
    const sending = body === undefined ? request.end() : pipeline(Readable.from(slices(body, patience)), request);
    // A server may answer, with a refusal, before it has the whole body.
    const response = await Promise.race([reply, Promise.all([reply, sending]).then(([first]) => first)]);
    patience.renew();
    return { status: response.statusCode ?? 0, body: read(response, { patience, where, signal }) };
  } catch (error) {
    request.destroy();
    if (signal.aborted) throw signal.reason;
    throw refuse(error, where);
  }
}

interface Reading {
  readonly patience: Patience;
  readonly where: string;
  readonly signal: AbortSignal;
}

async function* read(response: IncomingMessage, { patience, where, signal }: Reading): AsyncIterable<Uint8Array> {
  try {
    for await (const part of response) {
      patience.renew();
      yield part as Uint8Array;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw patience.failure ?? refuse(error, where);
  } finally {
    response.destroy();
  }
}
