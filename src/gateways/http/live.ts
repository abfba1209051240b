import type { Catalog, Session } from '../../catalog/catalog.js';
import { StorageError, wrapError } from '../../errors.js';
import {
  EVENT_POLL_MS,
  EVENT_PROGRESS_MS,
  EVENT_REST_FACTOR,
  MAX_EVENT_STREAMS,
  MAX_EVENT_STREAMS_OF_ONE,
} from '../../limits.js';
import type { Logger } from '../../log.js';
import { isAborted, rest } from '../../on-abort.js';
import type { UserSessions } from '../../services/user-sessions.js';
import type { ProblemReply, StatusReply } from './api.js';
import { changedFolders, see, type Seen } from './changed-folders.js';
import { EventStream } from './event-stream.js';
import type { Transfers } from './transfers.js';

export interface LiveOptions {
  readonly catalog: Pick<Catalog, 'list'>;
  readonly sessions: UserSessions;
  readonly transfers: Transfers;
  readonly status: (user: string, signal: AbortSignal) => Promise<StatusReply>;
  readonly logger: Logger;
}

interface Page {
  readonly user: string;
  /** Of the browser's session, or the token. */
  readonly owner: string;
  readonly stream: EventStream;
}

/** Looks for what has changed for one user. */
interface Watch {
  readonly stop: AbortController;
  /** As it was told last. */
  status?: StatusReply;
}

/** What pages that are open somewhere are told without asking. Nobody looks at anything while no page is open. */
export class Live implements AsyncDisposable {
  readonly #options: LiveOptions;
  readonly #pages = new Set<Page>();
  /** By user, as long as a page of the user is open. */
  readonly #watches = new Map<string, Watch>();
  readonly #stopListening: (() => void)[];

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#stopListening = [
      options.transfers.onChange((user, transfer) => {
        for (const { stream } of this.#of(user)) stream.send({ event: 'transfer', data: transfer });
      }),
      options.sessions.onEnd((user) => {
        this.end((page) => page.user === user, { code: 'LOCKED', message: `${user} was locked. Sign in again.` });
      }),
    ];
  }

  /** @throws StorageError LIMIT_EXCEEDED */
  open(user: string, owner: string): EventStream {
    const own = [...this.#pages].filter((page) => page.owner === owner).length;
    if (this.#pages.size >= MAX_EVENT_STREAMS || own >= MAX_EVENT_STREAMS_OF_ONE) {
      throw new StorageError('LIMIT_EXCEEDED', 'Too many pages of Shoal wait for events. Close some.');
    }
    const page: Page = { user, owner, stream: new EventStream(() => this.#close(page)) };
    this.#pages.add(page);
    for (const transfer of this.#options.transfers.running(user))
      page.stream.send({ event: 'transfer', data: transfer });
    this.#watch(user, page);
    return page.stream;
  }

  /** Sends pages away, with the reason. */
  end(isMeant: (page: { readonly user: string; readonly owner: string }) => boolean, reason: ProblemReply): void {
    for (const page of [...this.#pages].filter(isMeant)) {
      page.stream.send({ event: 'session', data: reason });
      page.stream.end();
      this.#close(page);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stopListening) stop();
    for (const page of [...this.#pages]) {
      page.stream.end();
      this.#close(page);
    }
  }

  #of(user: string): Page[] {
    return [...this.#pages].filter((page) => page.user === user);
  }

  #close(page: Page): void {
    this.#pages.delete(page);
    if (this.#of(page.user).length > 0) return;
    this.#watches.get(page.user)?.stop.abort();
    this.#watches.delete(page.user);
  }

  #watch(user: string, page: Page): void {
    const known = this.#watches.get(user);
    if (known !== undefined) {
      // It goes on, so that no other page misses what changed just now.
      if (known.status !== undefined) page.stream.send({ event: 'status', data: known.status });
      return;
    }
    const stop = new AbortController();
    const watch: Watch = { stop };
    this.#watches.set(user, watch);
    void this.#repeat(stop.signal, EVENT_POLL_MS, this.#lookAtEntries(user));
    void this.#repeat(stop.signal, EVENT_POLL_MS, this.#lookAtStatus(user, watch));
    void this.#repeat(stop.signal, EVENT_PROGRESS_MS, async () => {
      for (const transfer of this.#options.transfers.running(user)) {
        for (const { stream } of this.#of(user)) stream.send({ event: 'transfer', data: transfer });
      }
    });
  }

  async #repeat(signal: AbortSignal, everyMs: number, look: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await look();
      } catch (error) {
        const { code, message } = wrapError(error, 'Looking for changes');
        if (!isAborted(signal)) this.#options.logger.debug({ code, reason: message }, 'pages are not told of changes');
      }
      const restMs = Math.max(everyMs, (performance.now() - startedMs) * EVENT_REST_FACTOR);
      await rest(restMs, signal);
    }
  }

  #lookAtEntries(user: string): () => Promise<void> {
    let before: Seen | undefined;
    return async () => {
      const entries = await this.#options.catalog.list(this.#background(user), '/', { recursive: true });
      const now = see(entries);
      const changed = before === undefined ? [] : changedFolders(before, now);
      before = now;
      for (const { stream } of this.#of(user)) {
        for (const path of changed) stream.send({ event: 'entries', data: { path } });
      }
    };
  }

  #lookAtStatus(user: string, watch: Watch): () => Promise<void> {
    let before: string | undefined;
    return async () => {
      const status = await this.#options.status(user, watch.stop.signal);
      const now = JSON.stringify(status, withoutNoise);
      if (now === before) return;
      before = now;
      watch.status = status;
      for (const { stream } of this.#of(user)) stream.send({ event: 'status', data: status });
    };
  }

  /** Whoever only has a page open is not kept unlocked by it. @throws StorageError LOCKED */
  #background(user: string): Session {
    const found = this.#options.sessions.background().find(({ name }) => name === user);
    if (found !== undefined) return found;
    throw new StorageError('LOCKED', `${user} is not unlocked at this peer.`);
  }
}

/** What changes all the time is no change. */
function withoutNoise(key: string, value: unknown): unknown {
  if (key === 'latencyMs' || key === 'lastSuccessMs' || key === 'at') return undefined;
  if (key === 'freeBytes' && typeof value === 'number') return Math.round(value / 2 ** 26);
  return value;
}
