import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect } from 'node:net';
import type { ErrorCode } from '../errors.js';
import { ERRORS } from '../errors.js';
import { CONNECTION_WINDOW_BYTES, MAX_FRONT_SESSION_MIB, MAX_HEADER_BYTES, STREAM_WINDOW_BYTES } from '../limits.js';
import { REQUEST_ID_HEADER, TRACE_HEADER } from '../request-context.js';
import { CERTIFICATE_HEADER } from '../wire/admission.js';
import { ERROR_CODE_TRAILER } from '../wire/status.js';

/** Everything else a caller sends stays outside: identities, forwarding headers, cookies. */
const REQUEST_HEADERS = [
  'content-type',
  'te',
  'user-agent',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  REQUEST_ID_HEADER,
  TRACE_HEADER,
] as const;

const { HTTP2_HEADER_STATUS, HTTP2_HEADER_PATH, HTTP2_HEADER_METHOD, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } =
  constants;
/** nghttp2's NGHTTP2_FLAG_END_STREAM: no message follows these headers. */
const END_STREAM = constants.NGHTTP2_FLAG_END_STREAM;

export interface GrpcTarget {
  readonly socket: string;
  /** Who should be there, and how it is started. */
  readonly absence: string;
  /** As CERTIFICATE_HEADER wants it. */
  readonly certificate: string;
  readonly idleMs: number;
}

/** A call that ends before it begins: headers without a message ("Trailers-Only" in gRPC's description of HTTP/2). */
export function refuseCall(stream: ServerHttp2Stream, code: ErrorCode, message: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.close(NGHTTP2_INTERNAL_ERROR);
    return;
  }
  stream.respond(
    {
      [HTTP2_HEADER_STATUS]: 200,
      'content-type': 'application/grpc',
      'grpc-status': String(ERRORS[code].grpc),
      'grpc-message': encodeURI(message),
      [ERROR_CODE_TRAILER]: code,
    },
    { endStream: true },
  );
  // What the caller still sends is not worth reading (RFC 9113 section 8.1).
  if (!stream.readableEnded) stream.close(NGHTTP2_NO_ERROR);
}

/** The connections to the services behind one connection of a client: as many streams and as much in flight as it has. */
export class GrpcRelay {
  readonly #upstreams = new Map<string, ClientHttp2Session>();

  /** @param client whose end is theirs */
  constructor(client: ServerHttp2Session) {
    client.once('close', () => {
      for (const upstream of this.#upstreams.values()) upstream.close();
    });
  }

  relay(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, target: GrpcTarget): void {
    const upstream = this.#connect(target.socket);
    let call: ClientHttp2Stream;
    try {
      call = upstream.request(passedOn(headers, target.certificate), { endStream: false });
    } catch {
      // The connection broke just now; the next call makes another.
      refuseCall(stream, 'UNAVAILABLE', target.absence);
      return;
    }
    answer(stream, call, target.absence);
    stream.setTimeout(target.idleMs, () => stream.close(NGHTTP2_INTERNAL_ERROR));
    stream.pipe(call);
  }

  #connect(socket: string): ClientHttp2Session {
    const known = this.#upstreams.get(socket);
    if (known !== undefined && !known.destroyed && !known.closed) return known;
    const upstream = connectHttp2('http://localhost', {
      createConnection: () => connect(socket),
      maxSessionMemory: MAX_FRONT_SESSION_MIB,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false, maxHeaderListSize: MAX_HEADER_BYTES },
    });
    upstream.once('connect', () => upstream.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    // Each of its calls fails with it, and says so.
    upstream.on('error', () => undefined);
    upstream.once('close', () => {
      if (this.#upstreams.get(socket) === upstream) this.#upstreams.delete(socket);
    });
    this.#upstreams.set(socket, upstream);
    return upstream;
  }
}

function passedOn(headers: IncomingHttpHeaders, certificate: string): OutgoingHttpHeaders {
  const kept = Object.fromEntries(REQUEST_HEADERS.map((name) => [name, headers[name]]));
  const own = {
    [HTTP2_HEADER_METHOD]: 'POST',
    [HTTP2_HEADER_PATH]: headers[HTTP2_HEADER_PATH],
    [CERTIFICATE_HEADER]: certificate,
  };
  return { ...kept, ...own };
}

/** Headers, messages and trailers of the service, and its end, whatever that is, to the client. */
function answer(stream: ServerHttp2Stream, call: ClientHttp2Stream, absence: string): void {
  let trailers: OutgoingHttpHeaders | undefined;
  call.on('response', (headers, flags) => {
    if (stream.destroyed || stream.closed) return;
    const isWhole = (flags & END_STREAM) !== 0;
    stream.respond(plain(headers), { endStream: isWhole, waitForTrailers: !isWhole });
    if (isWhole) return;
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    call.pipe(stream);
  });
  call.on('trailers', (headers: IncomingHttpHeaders) => {
    trailers = plain(headers);
  });
  // Each end takes the other with it; a reset keeps its reason.
  call.on('error', () => undefined);
  call.once('close', () => {
    if (!stream.headersSent) refuseCall(stream, 'UNAVAILABLE', absence);
    else if (call.rstCode !== NGHTTP2_NO_ERROR) stream.close(call.rstCode);
    else if (trailers === undefined && !stream.writableEnded) stream.close(NGHTTP2_INTERNAL_ERROR);
  });
  stream.on('error', () => undefined);
  stream.once('close', () => {
    if (!call.closed) call.close(stream.rstCode === NGHTTP2_NO_ERROR ? constants.NGHTTP2_CANCEL : stream.rstCode);
  });
}

/** Node adds a symbol of its own to headers that it received, and refuses to send it. */
function plain(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers));
}
