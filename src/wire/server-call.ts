import type {
  handleUnaryCall,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { PeerId } from '../chunk/ids.js';
import type { Counts } from '../counts.js';
import { StorageError } from '../errors.js';
import type { Admit, AnyCall } from './admission.js';
import type { MessagePool } from './message-pool.js';
import type { Idle } from './message-reader.js';
import { MALFORMED_REQUEST } from './methods.js';
import { observeCall, type CallObserver, type ObservedCall } from './observed-call.js';
import { toRefusal, type Refusal } from './status.js';

/** What every handler gets. */
export interface Visit {
  /** Verified by its certificate, and a member. */
  readonly caller: PeerId;
  /** Aborts when the caller cancels, disconnects or passes its deadline. */
  readonly signal: AbortSignal;
  readonly idle: Idle;
  readonly pool: MessagePool;
  readonly counts: Counts;
}

/** The edge of the server: admits the caller, runs the handler, logs what is our own fault, answers. */
export interface Edge extends CallObserver {
  readonly admit: Admit;
  readonly pool: MessagePool;
  /** Of a stream. */
  readonly idleTimeoutMs: number;
}

interface Outcome {
  readonly refusal?: unknown;
}

function refuse(edge: Edge, error: unknown): Refusal {
  if (!(error instanceof StorageError) || error.code === 'INTERNAL') edge.logger.error({ err: error }, 'call failed');
  else edge.logger.debug({ code: error.code, reason: error.message }, 'call refused');
  return toRefusal(error);
}

interface Cancellable extends AnyCall, ObservedCall {
  on(event: 'cancelled', listener: () => void): unknown;
}

/** What the two kinds of call that stream messages back have in common. */
interface Streaming extends Cancellable {
  /** Where the caller sends one message only. */
  readonly request?: unknown;
  emit(event: 'error', refusal: Refusal): unknown;
  end(): unknown;
}

interface OpenVisit {
  readonly visit: Visit;
  /** grpc-js emits 'cancelled' at the end of every call; after this it means nothing. */
  readonly end: () => void;
}

function openVisit(edge: Edge, call: Cancellable): OpenVisit {
  const caller = edge.admit(call);
  const peer = `Peer ${caller.slice(0, 12)}…`;
  const life = new AbortController();
  let ended = false;
  call.on('cancelled', () => {
    if (!ended) life.abort(new StorageError('CANCELLED', `${peer} ended the call.`));
  });
  return {
    visit: {
      caller,
      signal: life.signal,
      idle: { ms: edge.idleTimeoutMs, peer },
      pool: edge.pool,
      counts: edge.telemetry.counts,
    },
    end: () => {
      ended = true;
    },
  };
}

/** @throws StorageError INVALID_ARGUMENT for bytes that are no message */
function checkRequest(request: unknown): void {
  if (request === MALFORMED_REQUEST) {
    throw new StorageError('INVALID_ARGUMENT', 'The request is not a message of this method.');
  }
}

/** @param handle writes the messages; when it resolves the call ends well */
export function answerStream<Call extends Streaming>(
  edge: Edge,
  handle: (call: Call, visit: Visit) => Promise<void>,
): (call: Call) => void {
  const run = async (call: Call): Promise<Outcome> => {
    try {
      const { visit, end } = openVisit(edge, call);
      checkRequest(call.request);
      await handle(call, visit);
      end();
      call.end();
      return {};
    } catch (error) {
      // grpc-js makes what is emitted here the status of the call.
      call.emit('error', refuse(edge, error));
      return { refusal: error };
    }
  };
  return (call) => void observeCall(edge, call, () => run(call));
}

export function answerUnary<Request, Response>(
  edge: Edge,
  handle: (request: Request, visit: Visit) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  const run = async (call: ServerUnaryCall<Request, Response>, respond: sendUnaryData<Response>): Promise<Outcome> => {
    try {
      const { visit, end } = openVisit(edge, call);
      checkRequest(call.request);
      const response = await handle(call.request, visit);
      end();
      respond(null, response);
      return {};
    } catch (error) {
      respond(refuse(edge, error));
      return { refusal: error };
    }
  };
  return (call, respond) => void observeCall(edge, call, () => run(call, respond));
}

/** Puts the same door before handlers that are not ours (health, reflection). */
export function guarded(edge: Edge, implementation: UntypedServiceImplementation): UntypedServiceImplementation {
  const behind = Object.entries(implementation).map(([name, handler]) => {
    const guard = (call: ServerDuplexStream<unknown, unknown>, respond?: sendUnaryData<unknown>): void => {
      try {
        edge.admit(call);
      } catch (error) {
        const refusal = refuse(edge, error);
        if (respond === undefined) call.emit('error', refusal);
        else respond(refusal);
        return;
      }
      Reflect.apply(handler, implementation, [call, respond]);
    };
    return [name, guard] as const;
  });
  return Object.fromEntries(behind);
}
