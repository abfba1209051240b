import { MAX_QUEUED_BYTES, SEGMENT_BYTES } from '../limits.js';
import { SEGMENT_ENVELOPE_BYTES } from './codec.js';

/** A few streams' worth: what is beyond it goes to the garbage collector. */
const MAX_FREE = (4 * MAX_QUEUED_BYTES) / SEGMENT_BYTES;

/**
 * Memory for messages that bear a segment, used again when the network has taken them. Without it each would be a fresh
 * 128 KiB outside the heap, and V8 starts a full collection for every 64 MiB of these.
 */
export class MessagePool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES + SEGMENT_ENVELOPE_BYTES);
  }

  /** Once for each take, when nothing reads it any more. */
  give(memory: Buffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(memory);
  }
}
