import { Readable } from 'node:stream';
import { wrapError } from '../../errors.js';
import type { ProblemReply } from './api.js';

/** One event. */
export interface Line {
  readonly event: string;
}
type AnyEvent = { readonly event: 'progress'; readonly bytes: number } | ({ readonly event: 'error' } & ProblemReply);

/** Lines are joined up to this many characters before they are sent. */
const JOIN_CHARS = 16 * 1024;
/** …and for this long at most. */
const JOIN_MS = 50;

/** Events as lines of JSON. They are few and small against what they tell of, so none waits for a slow reader. */
export class EventLines<Event extends Line> {
  readonly stream = new Readable({ read: () => undefined });
  #pending = '';
  #progress = 0;
  #timer: NodeJS.Timeout | undefined;

  push(event: Event): void {
    this.#add(event);
  }

  /** Progress is summed up; what is told last is always exact. */
  progress(bytes: number): void {
    this.#progress += bytes;
    this.#later();
  }

  /** Runs what the events tell of. Its failure is the last line. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code, message } = wrapError(error, 'The request');
      this.#add({ event: 'error', code, message });
    }
    this.#flush();
    this.stream.push(null);
  }

  #add(event: Event | AnyEvent): void {
    this.#pending += `${JSON.stringify(event)}\n`;
    if (this.#pending.length >= JOIN_CHARS) this.#flush();
    else this.#later();
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#flush();
    }, JOIN_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const progress: AnyEvent = { event: 'progress', bytes: this.#progress };
    const lines = this.#progress > 0 ? `${JSON.stringify(progress)}\n${this.#pending}` : this.#pending;
    this.#progress = 0;
    this.#pending = '';
    if (lines !== '' && !this.stream.destroyed) this.stream.push(lines);
  }
}
