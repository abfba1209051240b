import { randomBytes } from 'node:crypto';
import { MAX_ENDED_TRANSFERS } from '../../limits.js';
import { timeOf } from './replies.js';
import type { TransferReply } from './web-api.js';

export interface NewTransfer {
  readonly kind: TransferReply['kind'];
  readonly path: string;
  /** Name of the user. */
  readonly user: string;
  readonly total: number | undefined;
  /** So far. */
  readonly bytes: () => number;
  readonly cancel: () => void;
}

type Outcome = { readonly state: 'done' | 'cancelled' } | { readonly state: 'failed'; readonly message: string };

interface Held {
  readonly reply: TransferReply;
  readonly user: string;
  /** While it runs. */
  readonly running?: Pick<NewTransfer, 'bytes' | 'cancel'>;
}

/** Bytes that were moved since the process began. */
export interface Moved {
  readonly putBytes: number;
  readonly getBytes: number;
}

/** What is being moved over HTTP, and what was lately. */
export class Transfers {
  readonly #held = new Map<string, Held>();
  readonly #tell = new Set<(user: string, transfer: TransferReply) => void>();
  readonly #now: () => number;
  #ended: Moved = { putBytes: 0, getBytes: 0 };

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns says how it ended; what is said later does not count */
  begin({ kind, path, user, total, bytes, cancel }: NewTransfer): (outcome: Outcome) => void {
    const id = randomBytes(9).toString('base64url');
    const started = timeOf(this.#now());
    const reply = { id, kind, path, total: total ?? null, started, message: null };
    this.#held.set(id, { reply: { ...reply, bytes: 0, state: 'running' }, user, running: { bytes, cancel } });
    this.#say(id);
    return (outcome) => {
      this.#end(id, outcome);
    };
  }

  /** In the order in which they began. */
  list(user: string): TransferReply[] {
    return [...this.#held.values()].filter((held) => held.user === user).map(present);
  }

  running(user: string): TransferReply[] {
    return this.list(user).filter(({ state }) => state === 'running');
  }

  /** @returns whether there was one to be cancelled */
  cancel(user: string, id: string): boolean {
    const held = this.#held.get(id);
    if (held?.user !== user || held.running === undefined) return false;
    const { cancel } = held.running;
    this.#end(id, { state: 'cancelled' });
    cancel();
    return true;
  }

  moved(): Moved {
    let { putBytes, getBytes } = this.#ended;
    for (const held of this.#held.values()) {
      if (held.running === undefined) continue;
      if (held.reply.kind === 'put') putBytes += held.running.bytes();
      else getBytes += held.running.bytes();
    }
    return { putBytes, getBytes };
  }

  /** Tells of beginnings and ends. @returns stops it */
  onChange(tell: (user: string, transfer: TransferReply) => void): () => void {
    this.#tell.add(tell);
    return () => void this.#tell.delete(tell);
  }

  #end(id: string, outcome: Outcome): void {
    const held = this.#held.get(id);
    if (held?.running === undefined) return;
    const { user, reply, running } = held;
    const bytes = running.bytes();
    const { putBytes, getBytes } = this.#ended;
    this.#ended =
      reply.kind === 'put' ? { putBytes: putBytes + bytes, getBytes } : { putBytes, getBytes: getBytes + bytes };
    const message = outcome.state === 'failed' ? outcome.message : null;
    this.#held.set(id, { user, reply: { ...reply, bytes, state: outcome.state, message } });
    this.#forget();
    this.#say(id);
  }

  #say(id: string): void {
    const held = this.#held.get(id);
    if (held !== undefined) for (const tell of this.#tell) tell(held.user, present(held));
  }

  #forget(): void {
    const ended = [...this.#held].filter(([, { running }]) => running === undefined);
    for (const [id] of ended.slice(0, -MAX_ENDED_TRANSFERS)) this.#held.delete(id);
  }
}

function present({ reply, running }: Held): TransferReply {
  return running === undefined ? reply : { ...reply, bytes: running.bytes() };
}
