import type { sendUnaryData, ServerReadableStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import { toRefusal, type Refusal } from '../wire/status.js';

function refuse(logger: Logger, error: unknown): Refusal {
  if (!(error instanceof StorageError) || error.code === 'INTERNAL')
    logger.error({ err: error }, 'catalog call failed');
  else logger.debug({ code: error.code }, 'catalog call refused');
  return toRefusal(error);
}

/** The three kinds of calls, as async functions. Nothing but a StorageError's code and message reaches the caller. */
export function unary<Request, Response>(logger: Logger, handle: (request: Request) => Promise<Response>) {
  const run = async (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>): Promise<void> => {
    try {
      respond(null, await handle(call.request));
    } catch (error) {
      respond(refuse(logger, error));
    }
  };
  return (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>): void => void run(call, respond);
}

export function serverStream<Request, Response>(logger: Logger, handle: (request: Request) => AsyncIterable<Response>) {
  const run = async (call: ServerWritableStream<Request, Response>): Promise<void> => {
    const gone = new AbortController();
    call.once('cancelled', () => gone.abort());
    try {
      for await (const response of handle(call.request)) {
        if (gone.signal.aborted) return;
        if (!call.write(response)) await once(call, 'drain', { signal: gone.signal });
      }
      call.end();
    } catch (error) {
      if (!gone.signal.aborted) call.emit('error', refuse(logger, error));
    }
  };
  return (call: ServerWritableStream<Request, Response>): void => void run(call);
}

export function clientStream<Request, Response>(
  logger: Logger,
  handle: (requests: AsyncIterable<Request>) => Promise<Response>,
) {
  const run = async (
    call: ServerReadableStream<Request, Response>,
    respond: sendUnaryData<Response>,
  ): Promise<void> => {
    try {
      respond(null, await handle(call as AsyncIterable<Request>));
    } catch (error) {
      respond(refuse(logger, error));
    }
  };
  return (call: ServerReadableStream<Request, Response>, respond: sendUnaryData<Response>): void =>
    void run(call, respond);
}
