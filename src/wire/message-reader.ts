import type { Readable } from 'node:stream';
import { StorageError } from '../errors.js';

/** How long one stream may be silent while somebody waits for it, and what to say then. */
export interface Idle {
  readonly ms: number;
  /** "peer 0123abcd…" */
  readonly peer: string;
}

export function idleError(idle: Idle): StorageError {
  return new StorageError('TIMEOUT', `${idle.peer} has moved no byte for ${String(Math.round(idle.ms / 1000))} s.`);
}

interface Waiter<T> {
  readonly resolve: (message: T | undefined) => void;
  readonly reject: (reason: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Pulls the messages of a gRPC stream one by one. What nobody pulls stays in the stream, whose own bound (16 messages)
 * and HTTP/2 window then hold the sender back.
 */
export class MessageReader<T> {
  readonly #stream: Readable;
  readonly #signal: AbortSignal;
  readonly #idle: Idle;
  #waiter: Waiter<T> | undefined;
  #ended = false;

  /** @param signal the life of the call: when it aborts, `next` rejects with its reason */
  constructor(stream: Readable, signal: AbortSignal, idle: Idle) {
    this.#stream = stream;
    this.#signal = signal;
    this.#idle = idle;
    stream.on('readable', () => {
      this.#serve();
    });
    stream.once('end', () => {
      this.#ended = true;
      this.#serve();
    });
    signal.addEventListener(
      'abort',
      () => {
        this.#take()?.reject(signal.reason);
      },
      { once: true },
    );
  }

  /** @returns undefined behind the last message. One call at a time. */
  async next(): Promise<T | undefined> {
    this.#signal.throwIfAborted();
    const message = this.#stream.read() as T | null;
    if (message !== null) return message;
    if (this.#ended) return undefined;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#take()?.reject(idleError(this.#idle));
      }, this.#idle.ms);
      this.#waiter = { resolve, reject, timer };
    });
  }

  #serve(): void {
    if (this.#waiter === undefined) return;
    const message = this.#stream.read() as T | null;
    if (message !== null) this.#take()?.resolve(message);
    else if (this.#ended) this.#take()?.resolve(undefined);
  }

  #take(): Waiter<T> | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(waiter?.timer);
    return waiter;
  }
}
