import { Readable } from 'node:stream';
import { EVENT_HEARTBEAT_MS, MAX_EVENT_BACKLOG_CHARS } from '../../limits.js';
import type { WebEvent } from './web-api.js';

/** Server-sent events (HTML Living Standard, section 9.2) to one page. A page that takes none is sent away: it comes anew. */
export class EventStream {
  readonly body: Readable;
  readonly #heartbeat: NodeJS.Timeout;
  #isOver = false;

  /** @param onEnd once: the page has left, or was sent away */
  constructor(onEnd: () => void) {
    this.body = new Readable({ read: () => undefined, encoding: 'utf8', highWaterMark: MAX_EVENT_BACKLOG_CHARS });
    this.#heartbeat = setInterval(() => {
      this.#write(': alive\n\n');
    }, EVENT_HEARTBEAT_MS);
    this.body.once('close', () => {
      this.#isOver = true;
      clearInterval(this.#heartbeat);
      onEnd();
    });
    this.#write('retry: 2000\n\n');
  }

  send({ event, data }: WebEvent): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** What was sent before still arrives. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    this.body.push(null);
  }

  #write(text: string): void {
    if (this.#isOver) return;
    if (this.body.readableLength + text.length > MAX_EVENT_BACKLOG_CHARS) this.body.destroy();
    else this.body.push(text);
  }
}
