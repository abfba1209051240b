import type { Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import { MAX_SFTP_READERS, SFTP_RANDOM_READ_BYTES, SFTP_READ_REACH_BYTES, SPOOL_BLOCK_BYTES } from '../../limits.js';
import type { StoredContent } from './content.js';

interface Part {
  readonly start: number;
  readonly bytes: Uint8Array;
}

interface Stream {
  readonly parts: AsyncIterator<Uint8Array>;
  readonly stop: AbortController;
}

/** Which windows have a stream open: above MAX_SFTP_READERS the longest unused one that nobody waits for gives way. */
export class ReadWindows {
  readonly #open = new Set<ReadWindow>();

  use(window: ReadWindow): void {
    this.#open.delete(window);
    if (this.#open.size >= MAX_SFTP_READERS) [...this.#open].find(({ isBusy }) => !isBusy)?.rest();
    this.#open.add(window);
  }

  forget(window: ReadWindow): void {
    this.#open.delete(window);
  }
}

/**
 * Reads one stored file as clients do: in turn, some requests ahead of others, or here and there. A stream runs ahead of
 * those in turn; one that jumps gets little, until it goes on from there.
 */
export class ReadWindow {
  readonly content: StoredContent;
  readonly #session: () => Session;
  readonly #windows: ReadWindows;
  #stream: Stream | undefined;
  #parts: Part[] = [];
  /** Up to where the stream was read, and where it ends. */
  #position = 0;
  #end = 0;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(content: StoredContent, parts: { readonly session: () => Session; readonly windows: ReadWindows }) {
    this.content = content;
    this.#session = parts.session;
    this.#windows = parts.windows;
  }

  /** In the order of the calls. @returns fewer bytes at the end of the file @throws StorageError */
  read(offset: number, bytes: number): Promise<readonly Uint8Array[]> {
    this.#waiting++;
    const turn = this.#last
      .then(() => this.#read(offset, Math.min(offset + bytes, this.content.bytes)))
      .finally(() => this.#waiting--);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** When all that was asked for has been read. */
  async close(): Promise<void> {
    await this.#last;
    this.rest();
  }

  /** Lets go of the stream; the next read opens another. */
  rest(): void {
    this.#windows.forget(this);
    this.#stream?.stop.abort(new StorageError('CANCELLED', 'The reader went elsewhere.'));
    // It ends by itself, and how does not matter.
    void this.#stream?.parts.return?.().catch(() => undefined);
    this.#stream = undefined;
    this.#parts = [];
  }

  async #read(from: number, to: number): Promise<readonly Uint8Array[]> {
    if (from >= to) return [];
    this.#windows.use(this);
    const start = this.#parts[0]?.start ?? this.#position;
    const isNear = this.#stream !== undefined && from >= start && from <= this.#position + SFTP_READ_REACH_BYTES;
    if (!isNear) this.#seek(from);
    try {
      while (this.#position < to) await this.#advance();
    } catch (error) {
      this.rest();
      throw error;
    }
    const found = this.#cut(from, to);
    const behind = this.#parts.findIndex((part) => part.start + part.bytes.length > from - SFTP_READ_REACH_BYTES);
    if (behind > 0) this.#parts.splice(0, behind);
    return found;
  }

  #seek(from: number): void {
    const isFirst = from === 0;
    this.rest();
    this.#windows.use(this);
    this.#position = from - (from % SPOOL_BLOCK_BYTES);
    this.#open(isFirst ? this.content.bytes : this.#position + SFTP_RANDOM_READ_BYTES);
  }

  #open(to: number): void {
    const stop = new AbortController();
    this.#end = Math.min(to, this.content.bytes);
    const range = { from: this.#position, to: this.#end };
    const parts = this.content.read(this.#session(), range, stop.signal)[Symbol.asyncIterator]();
    this.#stream = { parts, stop };
  }

  async #advance(): Promise<void> {
    // Who reads on behind a jump reads to the end.
    if (this.#stream === undefined || this.#position === this.#end) this.#open(this.content.bytes);
    const next = await this.#stream?.parts.next();
    if (next === undefined || next.done === true) {
      throw new StorageError('CORRUPT', 'A stored file ended before its end.');
    }
    this.#parts.push({ start: this.#position, bytes: next.value });
    this.#position += next.value.length;
  }

  #cut(from: number, to: number): Uint8Array[] {
    return this.#parts
      .filter(({ start, bytes }) => start < to && start + bytes.length > from)
      .map(({ start, bytes }) => bytes.subarray(Math.max(from - start, 0), to - start));
  }
}
