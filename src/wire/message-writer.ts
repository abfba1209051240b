import type { Writable } from 'node:stream';
import { MAX_QUEUED_BYTES } from '../limits.js';
import { idleError, type Idle } from './message-reader.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Writes encoded messages to a gRPC stream and never holds more than MAX_QUEUED_BYTES and one message for it. */
export class MessageWriter {
  readonly #stream: Writable;
  readonly #signal: AbortSignal;
  readonly #idle: Idle;
  #queuedBytes = 0;
  #waiter: Waiter | undefined;

  /** @param signal the life of the call: when it aborts, waiting ends with its reason */
  constructor(stream: Writable, signal: AbortSignal, idle: Idle) {
    this.#stream = stream;
    this.#signal = signal;
    this.#idle = idle;
    signal.addEventListener(
      'abort',
      () => {
        this.#take()?.reject(signal.reason);
      },
      { once: true },
    );
  }

  /** @returns a promise only when the caller must wait for it before the next write. */
  write(message: Buffer): Promise<void> | undefined {
    this.#signal.throwIfAborted();
    const { length } = message;
    this.#queuedBytes += length;
    // A failed write is no news here: the call fails too, and its life ends with the reason.
    this.#stream.write(message, () => {
      this.#queuedBytes -= length;
      if (this.#queuedBytes < MAX_QUEUED_BYTES) this.#take()?.resolve();
    });
    return this.#queuedBytes < MAX_QUEUED_BYTES ? undefined : this.#drained();
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#take()?.reject(idleError(this.#idle));
      }, this.#idle.ms);
      this.#waiter = { resolve, reject, timer };
    });
  }

  #take(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    clearTimeout(waiter?.timer);
    return waiter;
  }
}
