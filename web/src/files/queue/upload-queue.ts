import { computed, signal } from '@preact/signals';
import { messageOf, Problem } from '../../api/problem.js';
import { STRINGS } from '../../strings.js';
import { joinPath } from '../paths.js';
import type { GivenFile, KeptItem } from './item.js';
import { matchGiven } from './match.js';
import { QueuedItem } from './queued-item.js';

/** One file that is sent now. */
export interface Sending {
  readonly file: File;
  readonly path: string;
  readonly modified: number;
  readonly uploadUrl: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
  /** Where the peer keeps what was sent: to go on there after a break. */
  readonly onUploadUrl: (url: string) => void;
}

export interface QueueParts {
  /** @throws Problem; the signal's reason */
  readonly send: (sending: Sending) => Promise<void>;
  /** Gives back what an upload has stored so far. */
  readonly discard: (uploadUrl: string) => Promise<void>;
  /** What outlives the page; none of it waits for the disk. */
  readonly journal: {
    keep(items: readonly KeptItem[]): void;
    drop(ids: readonly string[]): void;
  };
  /** Calls back after so many milliseconds. */
  readonly later: (ms: number, work: () => void) => void;
  /** The peer takes nothing more from whoever is signed in here: locked, or signed out. */
  readonly onRefused: () => void;
  readonly newId: () => string;
}

/** Files at a time: one alone leaves the line empty between two small ones. */
const SENDING_AT_ONCE = 3;
/** As many as the journal and the list bear without trouble. */
export const MAX_QUEUED = 20_000;
/** Before the attempts that follow a failure that may pass. */
const RETRY_MS = [1000, 2000, 5000, 10_000, 20_000];

/** Files on their way up. Failures are told of item by item; nothing here throws. */
export class UploadQueue {
  readonly items = signal<readonly QueuedItem[]>([]);
  /** How many were stopped because the session had ended. */
  readonly suspended = computed(() => this.items.value.filter((item) => item.suspended.value).length);
  readonly #parts: QueueParts;
  #running = 0;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** What an earlier page has left: it waits for its files. */
  load(kept: readonly KeptItem[]): void {
    this.items.value = [...kept.map((item) => new QueuedItem(item, null)), ...this.items.value];
  }

  /** @returns how many were not taken, because the queue is full */
  add(given: readonly GivenFile[], folder: string): number {
    const wanted = given.map(({ file, relativePath, handle }) => ({
      ...{ file, handle, path: joinPath(folder, relativePath) },
      ...{ bytes: file.size, modified: file.lastModified },
    }));
    const { found, added } = matchGiven(this.items.peek(), wanted);
    for (const [item, { file, handle }] of found) this.supply(item, file, handle);
    const room = Math.max(0, MAX_QUEUED - this.items.peek().length);
    const fresh = added.slice(0, room).map(({ file, ...rest }) => {
      return new QueuedItem({ ...rest, id: this.#parts.newId(), state: 'waiting', uploadUrl: null }, file);
    });
    this.items.value = [...this.items.peek(), ...fresh];
    this.#keep([...found.map(([item]) => item), ...fresh]);
    this.#pump();
    return added.length - fresh.length;
  }

  /** The file of an item that misses it. */
  supply(item: QueuedItem, file: File, handle = item.handle): void {
    item.file = file;
    item.handle = handle;
    this.resume(item);
  }

  pause(item: QueuedItem): void {
    if (item.state !== 'running' && item.state !== 'waiting') return;
    item.phase.value = 'paused';
    item.stop?.abort();
    this.#keep([item]);
  }

  resume(item: QueuedItem): void {
    if (item.state === 'running' || item.state === 'done') return;
    item.suspended.value = false;
    item.attempts = 0;
    item.message.value = '';
    item.phase.value = item.file === null ? 'missing' : 'waiting';
    this.#keep([item]);
    this.#pump();
  }

  pauseAll(): void {
    for (const item of this.items.peek()) this.pause(item);
  }

  resumeAll(): void {
    for (const item of this.items.peek()) if (item.state === 'paused' || item.state === 'failed') this.resume(item);
  }

  /** The session has ended: nothing is sent until `wake`. */
  suspend(): void {
    for (const item of this.items.peek()) {
      if (item.state !== 'running' && item.state !== 'waiting') continue;
      this.pause(item);
      this.#suspend(item);
    }
  }

  #suspend(item: QueuedItem): void {
    item.message.value = STRINGS.uploads.signedOut;
    item.suspended.value = true;
  }

  /** The same user is here again: what `suspend` has stopped goes on. */
  wake(): void {
    for (const item of this.items.peek()) if (item.suspended.peek()) this.resume(item);
  }

  /** Takes items out; what was sent of unfinished ones is given back. */
  remove(items: readonly QueuedItem[]): void {
    const gone = new Set(items);
    this.items.value = this.items.peek().filter((item) => !gone.has(item));
    this.#parts.journal.drop(items.map(({ id }) => id));
    for (const item of items) {
      const unfinished = item.state !== 'done';
      item.phase.value = 'paused';
      item.stop?.abort();
      // What cannot be given back now expires by itself.
      if (unfinished && item.uploadUrl !== null) void this.#parts.discard(item.uploadUrl).catch(() => undefined);
    }
    this.#pump();
  }

  removeDone(): void {
    this.remove(this.items.peek().filter(({ state }) => state === 'done'));
  }

  #keep(items: readonly QueuedItem[]): void {
    this.#parts.journal.keep(items.map((item) => item.kept()));
  }

  #pump(): void {
    for (const item of this.items.peek()) {
      if (this.#running >= SENDING_AT_ONCE) return;
      if (item.phase.peek() === 'waiting' && item.stop === null && item.file !== null) void this.#run(item, item.file);
    }
  }

  async #run(item: QueuedItem, file: File): Promise<void> {
    const stop = new AbortController();
    item.stop = stop;
    item.phase.value = 'running';
    this.#running += 1;
    try {
      await this.#parts.send({
        ...{ file, path: item.path, modified: item.modified, uploadUrl: item.uploadUrl, signal: stop.signal },
        onProgress: (sentBytes) => {
          item.sent.value = sentBytes;
        },
        onUploadUrl: (url) => {
          item.uploadUrl = url;
          this.#keep([item]);
        },
      });
      this.#finish(item);
    } catch (error) {
      if (!stop.signal.aborted) this.#fail(item, error);
    } finally {
      item.stop = null;
      this.#running -= 1;
      this.#pump();
    }
  }

  #finish(item: QueuedItem): void {
    item.sent.value = item.bytes; // First: the sums are made when the phase changes.
    item.phase.value = 'done';
    item.uploadUrl = null;
    item.file = null;
    item.handle = null;
    // Removed meanwhile: nobody asks for it any more.
    if (this.items.peek().includes(item)) this.#keep([item]);
  }

  #fail(item: QueuedItem, error: unknown): void {
    item.message.value = messageOf(error);
    const signedOut = Problem.is(error, 'UNAUTHENTICATED', 'LOCKED');
    const delay = mayPass(error) ? RETRY_MS[item.attempts] : undefined;
    item.phase.value = signedOut || delay !== undefined ? 'paused' : 'failed';
    this.#keep([item]);
    if (signedOut) {
      this.#suspend(item);
      this.#parts.onRefused();
    }
    if (signedOut || delay === undefined) return;
    const attempts = item.attempts + 1;
    this.#parts.later(delay, () => {
      if (item.state !== 'paused' || item.stop !== null || !this.items.peek().includes(item)) return;
      this.resume(item);
      item.attempts = attempts;
    });
  }
}

/** The peer is away, restarts, or has too much to do. */
function mayPass(error: unknown): boolean {
  return Problem.is(error) && (error.status === 0 || [429, 502, 503, 504].includes(error.status));
}
