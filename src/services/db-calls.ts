import type { sendUnaryData, ServerReadableStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import { StorageError } from '../errors.js';
import { observeCall, type CallObserver } from '../wire/observed-call.js';
import { toRefusal, type Refusal } from '../wire/status.js';

/** Why a call did not end well. */
interface Outcome {
  readonly refusal?: unknown;
}

function refuse({ logger }: CallObserver, error: unknown): Refusal {
  if (!(error instanceof StorageError) || error.code === 'INTERNAL')
    logger.error({ err: error }, 'catalog call failed');
  else logger.debug({ code: error.code }, 'catalog call refused');
  return toRefusal(error);
}

/** The three kinds of calls, as async functions. Nothing but a StorageError's code and message reaches the caller. */
export function unary<Request, Response>(edge: CallObserver, handle: (request: Request) => Promise<Response>) {
  const run = async (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>): Promise<Outcome> => {
    try {
      respond(null, await handle(call.request));
      return {};
    } catch (error) {
      respond(refuse(edge, error));
      return { refusal: error };
    }
  };
  return (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>): void =>
    void observeCall(edge, call, () => run(call, respond));
}

export function serverStream<Request, Response>(
  edge: CallObserver,
  handle: (request: Request) => AsyncIterable<Response>,
) {
  const run = async (call: ServerWritableStream<Request, Response>): Promise<Outcome> => {
    const gone = new AbortController();
    call.once('cancelled', () => gone.abort());
    try {
      for await (const response of handle(call.request)) {
        if (gone.signal.aborted) return {};
        if (!call.write(response)) await once(call, 'drain', { signal: gone.signal });
      }
      call.end();
      return {};
    } catch (error) {
      if (gone.signal.aborted) return {};
      call.emit('error', refuse(edge, error));
      return { refusal: error };
    }
  };
  return (call: ServerWritableStream<Request, Response>): void => void observeCall(edge, call, () => run(call));
}

export function clientStream<Request, Response>(
  edge: CallObserver,
  handle: (requests: AsyncIterable<Request>) => Promise<Response>,
) {
  const run = async (
    call: ServerReadableStream<Request, Response>,
    respond: sendUnaryData<Response>,
  ): Promise<Outcome> => {
    try {
      respond(null, await handle(call as AsyncIterable<Request>));
      return {};
    } catch (error) {
      respond(refuse(edge, error));
      return { refusal: error };
    }
  };
  return (call: ServerReadableStream<Request, Response>, respond: sendUnaryData<Response>): void =>
    void observeCall(edge, call, () => run(call, respond));
}
