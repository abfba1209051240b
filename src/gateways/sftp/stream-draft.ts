import { StorageError, wrapError } from '../../errors.js';
import { SFTP_EARLY_BYTES, SFTP_STREAM_AHEAD_BYTES } from '../../limits.js';

/** Puts what is written while it is written: from the beginning to the end, without touching the disk. */
export class StreamDraft<T> {
  readonly #stop = new AbortController();
  readonly #ended: Promise<T>;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** What came before what goes before it, by its offset. */
  readonly #early = new Map<number, Buffer>();
  #next = 0;
  #bytes = 0;
  #isComplete = false;
  #failure: StorageError | undefined;
  #wake: (() => void) | undefined;

  /** @param put reads the source to its end */
  constructor(put: (source: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<T>) {
    this.#ended = put(this.#source(), this.#stop.signal);
    // Told to whoever writes next, or ends it.
    this.#ended.catch((error: unknown) => {
      this.#failure = wrapError(error, 'Storing what was written');
      this.#wakeUp();
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether these bytes go on where others ended, or will when some more have come. */
  takes(offset: number, length: number): boolean {
    if (offset === this.#next) return true;
    if (offset < this.#next || this.#early.has(offset)) return false;
    return offset + length - this.#next <= SFTP_EARLY_BYTES;
  }

  /** Waits while the put is behind. @param data what `takes` says yes to @throws StorageError what the put failed with */
  async write(offset: number, data: Buffer): Promise<void> {
    this.#demandSound();
    this.#bytes = Math.max(this.#bytes, offset + data.length);
    if (offset === this.#next) this.#push(data);
    else this.#early.set(offset, data);
    this.#pushEarly();
    while (this.#waitingBytes > SFTP_STREAM_AHEAD_BYTES) {
      await this.#woken();
      this.#demandSound();
    }
  }

  /** What never came in between is zeros, as in any file. @returns what the put returned @throws StorageError */
  async finish(): Promise<T> {
    for (const [offset, data] of [...this.#early].sort(([a], [b]) => a - b)) {
      // Overlapping writes: the later offset counts for what both have.
      if (offset > this.#next) this.#push(Buffer.alloc(offset - this.#next));
      if (offset + data.length > this.#next) this.#push(data.subarray(this.#next - offset));
    }
    this.#early.clear();
    this.#isComplete = true;
    this.#wakeUp();
    return this.#ended;
  }

  /** Nothing of it stays. */
  async abort(): Promise<void> {
    this.#stop.abort(new StorageError('CANCELLED', 'The client left before the file was closed.'));
    this.#wakeUp();
    // What became of it does not matter.
    await this.#ended.catch(() => undefined);
  }

  #demandSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #push(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
    this.#next += data.length;
    this.#wakeUp();
  }

  #pushEarly(): void {
    for (let data = this.#early.get(this.#next); data !== undefined; data = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      if (data.length === 0) return;
      this.#push(data);
    }
  }

  async *#source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const data = this.#waiting.shift();
      if (data !== undefined) {
        this.#waitingBytes -= data.length;
        this.#wakeUp();
        yield data;
      } else if (this.#isComplete) return;
      else await this.#woken();
    }
  }

  /** Whoever waits looks by himself whether it was for him. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#wake;
      this.#wake = () => {
        others?.();
        resolve();
      };
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
