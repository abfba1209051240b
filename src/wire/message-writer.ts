import type { Writable } from 'node:stream';
import { MAX_QUEUED_BYTES } from '../limits.js';
import type { Segment } from '../chunk/segments.js';
import { encodeSegment } from './codec.js';
import { idleError, type Idle } from './message-reader.js';
import type { MessagePool } from './message-pool.js';

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
  readonly #pool: MessagePool;
  #queuedBytes = 0;
  #waiter: Waiter | undefined;

  /** @param signal the life of the call: when it aborts, waiting ends with its reason */
  constructor(stream: Writable, signal: AbortSignal, idle: Idle, pool: MessagePool) {
    this.#stream = stream;
    this.#signal = signal;
    this.#idle = idle;
    this.#pool = pool;
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
    return this.#write(message, undefined);
  }

  /** As write. The segment's bytes are copied before it returns. */
  writeSegment(segment: Segment): Promise<void> | undefined {
    this.#signal.throwIfAborted();
    const memory = this.#pool.take();
    return this.#write(encodeSegment(segment, memory), memory);
  }

  #write(message: Buffer, memory: Buffer | undefined): Promise<void> | undefined {
    this.#signal.throwIfAborted();
    const { length } = message;
    this.#queuedBytes += length;
    // grpc-js has copied the message into a frame when it calls back. A failed write is no news here: the call fails too,
    // and its life ends with the reason.
    this.#stream.write(message, () => {
      if (memory !== undefined) this.#pool.give(memory);
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
