import {
  request as requestHttp,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { StorageError } from '../errors.js';

/** A request that came, and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Where a request goes on to, and what of it. */
export interface Relay {
  /** Host and port, or a socket. */
  readonly place: RequestOptions;
  readonly path: string;
  /** Besides REQUEST_HEADERS. */
  readonly headers: OutgoingHttpHeaders;
  readonly bodyBytes: number;
  /** Neither side may be silent for longer. */
  readonly idleMs: number;
}

/** Everything else a caller sends stays outside: identities, forwarding headers, cookies. */
const REQUEST_HEADERS = ['accept', 'content-type', 'content-length'] as const;
const REPLY_HEADERS = ['content-type', 'content-length', 'etag', 'retry-after'] as const;

function keep(names: readonly string[], from: IncomingMessage): OutgoingHttpHeaders {
  const kept = names.flatMap((name) => {
    const value = from.headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(kept);
}

/**
 * Node sends the body of a GET of unknown length as bare bytes behind its head: the other side would take them for the next
 * request, with whatever headers the caller likes.
 */
function hasBody(request: IncomingMessage): boolean {
  return request.method === 'POST' || request.method === 'PUT';
}

async function* nothing(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  for await (const part of source) {
    if (part.length > 0) throw new StorageError('INVALID_ARGUMENT', 'This request has no body.');
  }
}

function tooLarge(most: number): StorageError {
  return new StorageError('LIMIT_EXCEEDED', `A request has at most ${String(most)} bytes.`);
}

async function* bounded(source: AsyncIterable<Buffer>, most: number): AsyncIterable<Buffer> {
  let bytes = 0;
  for await (const part of source) {
    bytes += part.length;
    if (bytes > most) throw tooLarge(most);
    yield part;
  }
}

/**
 * Sends a request over HTTP/1.1 on, and its answer back.
 *
 * @throws StorageError LIMIT_EXCEEDED, INVALID_ARGUMENT, TIMEOUT, and what the connection fails with
 */
export async function relayRequest({ request, response }: Exchange, relay: Relay): Promise<void> {
  const { place, path, headers, bodyBytes, idleMs } = relay;
  if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge(bodyBytes);
  const send = place.protocol === 'https:' ? requestHttps : requestHttp;
  const upstream = send({
    ...place,
    method: request.method,
    path,
    // The other side shall not close as soon as it has answered: Node ends a request with an empty write, and would find
    // the connection closed before it has read the answer.
    headers: { ...keep(REQUEST_HEADERS, request), ...headers, connection: 'keep-alive' },
    // A kept connection may be closed by the other side just as it is used, and a POST is not sent twice.
    agent: false,
  });
  upstream.setTimeout(idleMs, () => {
    upstream.destroy(new StorageError('TIMEOUT', 'No answer came in time.'));
  });
  response.once('close', () => upstream.destroy());
  const reply = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve);
    // Stays: an error after the reply has begun reaches its stream, too.
    upstream.on('error', reject);
  });
  const body = (source: AsyncIterable<Buffer>): AsyncIterable<Buffer> =>
    hasBody(request) ? bounded(source, bodyBytes) : nothing(source);
  const sending = pipeline(request, body, upstream);
  // A server may answer, with a refusal, before it has the whole body.
  const received = await Promise.race([reply, Promise.all([reply, sending]).then(([first]) => first)]);
  response.writeHead(received.statusCode ?? 502, keep(REPLY_HEADERS, received));
  await pipeline(received, response);
}
