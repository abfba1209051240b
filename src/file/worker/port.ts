import type { MessagePort, Worker } from 'node:worker_threads';
import { assert, isErrorCode, StorageError } from '../../errors.js';
import { onAbort } from '../../on-abort.js';
import { currentRequest, withRequest, type RequestContext } from '../../request-context.js';

/** The two ends of a worker's channel have this much in common. */
export type Endpoint = Pick<MessagePort, 'postMessage' | 'on' | 'off'> | Pick<Worker, 'postMessage' | 'on' | 'off'>;

/** A value whose buffers are handed over instead of being copied. */
export class Transferred<T> {
  readonly value: T;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

type Handler = (params: unknown, signal: AbortSignal) => Promise<unknown>;

/** What `call` of the other end sees: parameters and result of each handler. */
export type Remote<H> = {
  readonly [Name in keyof H]: H[Name] extends (params: infer P, signal: AbortSignal) => Promise<infer R>
    ? (params: P, options: CallOptions) => Promise<R extends Transferred<infer V> ? V : R>
    : never;
};

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly transfer?: readonly ArrayBuffer[];
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

type Message =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
      readonly context: RequestContext | undefined;
    }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'result'; readonly id: number; readonly value?: unknown; readonly failure?: Failure };

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

function toFailure(error: unknown): Failure {
  if (error instanceof StorageError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function fromFailure(failure: Failure): StorageError {
  return new StorageError(isErrorCode(failure.code) ? failure.code : 'INTERNAL', failure.message);
}

/**
 * Calls both ways between a process's main thread and one of its workers. Both ends run the same build, so nothing here
 * is validated. An aborted call rejects at once with `signal.reason`; the other end is told and its result dropped.
 */
export class PortCalls {
  readonly #port: Endpoint;
  readonly #handlers: object;
  readonly #pending = new Map<number, Pending>();
  readonly #running = new Map<number, AbortController>();
  readonly #onMessage = (message: Message): void => {
    this.#receive(message);
  };
  #nextId = 0;
  #broken: StorageError | undefined;

  /** @param handlers an object whose methods the other end may call: (params, signal) → promise */
  constructor(port: Endpoint, handlers: object) {
    this.#port = port;
    this.#handlers = handlers;
    port.on('message', this.#onMessage);
  }

  remote<H>(): Remote<H> {
    return new Proxy({} as Remote<H>, {
      get: (_, method) => (params: unknown, options: CallOptions) => this.#call(String(method), params, options),
    });
  }

  /** Rejects everything under way: the other end is gone. */
  fail(error: StorageError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#port.off('message', this.#onMessage);
    for (const { reject } of this.#pending.values()) reject(error);
    for (const controller of this.#running.values()) controller.abort(error);
    this.#pending.clear();
  }

  #call(method: string, params: unknown, { signal, transfer = [] }: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || this.#broken !== undefined) {
        reject((this.#broken ?? signal.reason) as Error);
        return;
      }
      const id = this.#nextId++;
      const stopListening = onAbort(signal, () => {
        this.#pending.delete(id);
        this.#post({ type: 'abort', id });
        reject(signal.reason as Error);
      });
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T): void => {
          stopListening();
          how(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#post({ type: 'call', id, method, params, context: currentRequest() }, transfer);
    });
  }

  #receive(message: Message): void {
    switch (message.type) {
      case 'call':
        void withRequest(message.context, () => this.#serve(message));
        return;
      case 'abort':
        this.#running.get(message.id)?.abort(new StorageError('CANCELLED', 'The caller gave up.'));
        return;
      case 'result': {
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        if (message.failure === undefined) pending?.resolve(message.value);
        else pending?.reject(fromFailure(message.failure));
      }
    }
  }

  async #serve({ id, method, params }: Extract<Message, { type: 'call' }>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const handler = Reflect.get(this.#handlers, method) as Handler | undefined;
      assert(handler !== undefined, `no handler for ${method}`);
      const result = await handler.call(this.#handlers, params, controller.signal);
      if (result instanceof Transferred) this.#post({ type: 'result', id, value: result.value }, result.buffers);
      else this.#post({ type: 'result', id, value: result });
    } catch (error) {
      this.#post({ type: 'result', id, failure: toFailure(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #post(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#broken === undefined) this.#port.postMessage(message, [...transfer]);
  }
}
