import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { StorageError } from '../errors.js';
import { DB_CALL_TIMEOUT_MS, MAX_DB_MESSAGE_BYTES } from '../limits.js';
import { requestHeaders } from '../request-context.js';
import { ERROR_CODE_TRAILER, fromServiceError } from '../wire/status.js';

/** A method as protoc's TypeScript describes it. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (response: Buffer) => Response;
}

const SERVER_NAME = 'The DB Service';

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error;
}

/** A refusal in the service's own words is passed on as it is; trouble on the way says where. */
function translate(error: ServiceError): StorageError {
  if (error.metadata.get(ERROR_CODE_TRAILER).length === 0) {
    const translated = fromServiceError(error, SERVER_NAME);
    if (translated.code !== 'UNAVAILABLE') return translated;
    return new StorageError(
      'UNAVAILABLE',
      `${translated.message} If it does not run, start it with \`shoal serve db-service\`.`,
      { cause: error },
    );
  }
  const translated = fromServiceError(error, SERVER_NAME);
  return new StorageError(translated.code, error.details, { cause: error });
}

function options(): CallOptions {
  return { deadline: Date.now() + DB_CALL_TIMEOUT_MS };
}

/** A call is part of the request that it is made for. */
function metadata(): Metadata {
  const carried = new Metadata();
  for (const [name, value] of Object.entries(requestHeaders())) carried.set(name, value);
  return carried;
}

function noop(): void {
  // nothing to do
}

interface Answer<Response> {
  readonly promise: Promise<Response>;
  settled(): boolean;
  settle(error: ServiceError | null, response: Response | undefined): void;
}

function deferred<Response>(): Answer<Response> {
  let finish: Answer<Response>['settle'] = () => undefined;
  let settled = false;
  const promise = new Promise<Response>((resolve, reject) => {
    finish = (error, response) => {
      settled = true;
      if (error !== null) reject(translate(error));
      else if (response !== undefined) resolve(response);
      else reject(new StorageError('UNAVAILABLE', `${SERVER_NAME} ended a call without an answer.`));
    };
  });
  return { promise, settled: () => settled, settle: (error, response) => finish(error, response) };
}

/** Calls to the DB Service on its unix socket. Connects by itself, also again after the service was restarted. */
export class DbConnection {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_DB_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_DB_MESSAGE_BYTES,
      // A restarted service is back within the second; nobody else is harmed by asking often.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      // Else a client waits out the backoff that another client of this process has run into.
      'grpc.use_local_subchannel_pool': 1,
      // The socket is the address; its path would make a malformed HTTP/2 authority.
      'grpc.default_authority': 'localhost',
    });
  }

  unary<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const answer = deferred<Response>();
    this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata(),
      options(),
      (error, response) => {
        answer.settle(error, response);
      },
    );
    return answer.promise;
  }

  /** @param limits long: the call has no deadline, for its work takes as long as there is work */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    limits: { readonly long: boolean } = { long: false },
  ): AsyncGenerator<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const call: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata(),
      limits.long ? {} : options(),
    );
    // A call that is left early is cancelled, and says so when nobody listens any more.
    call.on('error', noop);
    try {
      for await (const response of call) yield response as Response;
    } catch (error) {
      throw isServiceError(error) ? translate(error) : error;
    } finally {
      call.cancel();
    }
  }

  /** Sends the next request when the one before has left. An answer that comes early is a refusal: it ends the sending. */
  async upload<Request, Response>(method: Method<Request, Response>, requests: Iterable<Request>): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const answer = deferred<Response>();
    const call = this.#client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata(),
      options(),
      (error, response) => {
        answer.settle(error, response);
      },
    );
    // Whoever awaits the answer below is told of its failure, also when that comes while requests are being sent.
    const over = answer.promise.then(noop, noop);
    try {
      for (const request of requests) {
        if (answer.settled()) break;
        await Promise.race([new Promise<void>((sent) => call.write(request, () => sent())), over]);
      }
      call.end();
    } catch (error) {
      call.cancel();
      throw error;
    }
    return answer.promise;
  }

  close(): void {
    this.#client.close();
  }
}
