import { setMaxListeners } from 'node:events';
import type { ServiceError } from '@grpc/grpc-js';
import type { StorageError } from '../errors.js';

/** The part of a client's call that its life depends on. */
interface FollowedCall {
  cancel(): void;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
}

/** One call of ours, from its start until it failed, was aborted or is closed. */
export class CallLife {
  readonly #controller = new AbortController();
  readonly #call: FollowedCall;
  readonly #forget: () => void;
  #closed = false;
  /** Rejects when the call ends against our will; never resolves. */
  readonly failed: Promise<never>;

  /**
   * @param signal the caller's: when it aborts, the call is cancelled and everything that waits rejects with its reason
   * @param explain what a failure of the call means
   */
  constructor(call: FollowedCall, signal: AbortSignal, explain: (error: ServiceError) => StorageError) {
    this.#call = call;
    const onAbort = (): void => {
      this.#controller.abort(signal.reason);
      call.cancel();
    };
    // One signal often ends a great many calls at once; the warning at eleven listeners would be a false one.
    setMaxListeners(0, signal, this.#controller.signal);
    this.failed = new Promise((_resolve, reject) => {
      this.#controller.signal.addEventListener(
        'abort',
        () => {
          reject(this.#controller.signal.reason as Error);
        },
        { once: true },
      );
    });
    // Whoever waits for something races it against `failed`; when nobody waits, the failure is nobody's.
    this.failed.catch(() => undefined);
    call.on('error', (error) => {
      if (!this.#closed) this.#controller.abort(explain(error));
    });
    signal.addEventListener('abort', onAbort, { once: true });
    this.#forget = () => {
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Cancels what is still going on; without effect on a call that has ended by itself. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#call.cancel();
  }
}
