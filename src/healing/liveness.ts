import { idBytes, parsePeerId, type PeerId } from '../chunk/ids.js';
import type { PeerLinks } from '../file/peer-links.js';
import { LIVENESS_INTERVAL_MS, LIVENESS_WRITE_MS, PINGS_AT_ONCE } from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import { blobOf, integerOf } from '../store/columns.js';
import type { Database, Row, Statement } from '../store/sqlite.js';

export interface LivenessOptions {
  readonly self: PeerId;
  readonly book: PeerBook;
  readonly links: Pick<PeerLinks, 'ping'>;
  /** The peer's own: src/store/schema/state. */
  readonly state: Database;
  /** Silence after which a peer is gone. */
  readonly graceMs: number;
  /** Unix time. */
  readonly clock: () => number;
}

/** When a peer answered last. */
export interface Answers {
  /** Unix time; undefined: never yet. */
  readonly answeredMs: number | undefined;
  /** That this peer has witnessed since: see Liveness. */
  readonly silentMs: number;
}

const STATEMENTS = {
  all: 'SELECT peer, answered_ms, silent_ms FROM liveness',
  put: `INSERT INTO liveness (peer, answered_ms, silent_ms) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET answered_ms = excluded.answered_ms, silent_ms = excluded.silent_ms`,
  forget: 'DELETE FROM liveness WHERE peer = ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * Who has not been heard of for how long, as this peer itself has seen it. Silence is witnessed: it counts while this peer
 * runs and somebody else answers it. Time in which it was off, asleep or cut off counts against nobody, and neither does a
 * clock that was turned.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #sql: Statements;
  readonly #answers = new Map<PeerId, Answers>();
  /** As it is on the disk. */
  readonly #written = new Map<PeerId, Answers>();
  /** Since the last round. */
  #heard = new Set<PeerId>();
  #roundMs: number;

  private constructor(options: LivenessOptions) {
    this.#options = options;
    this.#roundMs = options.clock();
    this.#sql = options.state.prepareAll(STATEMENTS);
    for (const row of this.#sql.all.all()) this.#answers.set(...read(row));
    for (const [peer, answers] of this.#answers) this.#written.set(peer, answers);
  }

  /** Listens to the book from now on. */
  static open(options: LivenessOptions): Liveness {
    const liveness = new Liveness(options);
    options.book.onAnswer((peer) => liveness.#heard.add(peer));
    return liveness;
  }

  /** Asks those that were not heard of since the last round, and adds up. */
  async round(signal: AbortSignal): Promise<void> {
    const { self, book, links, clock } = this.#options;
    const members = book.list().flatMap(({ id, state }) => (state === 'removed' || id === self ? [] : id));
    const quiet = members.filter((peer) => !this.#heard.has(peer));
    for (let at = 0; at < quiet.length; at += PINGS_AT_ONCE) {
      await Promise.all(quiet.slice(at, at + PINGS_AT_ONCE).map((peer) => links.ping(peer, signal)));
    }
    const nowMs = clock();
    // More than two intervals: this process, or the machine, did not run meanwhile.
    const sinceMs = Math.min(Math.max(nowMs - this.#roundMs, 0), 2 * LIVENESS_INTERVAL_MS);
    this.#roundMs = nowMs;
    const heard = this.#heard;
    this.#heard = new Set();
    const isWitness = members.some((peer) => heard.has(peer));
    for (const peer of members) {
      const { answeredMs, silentMs } = this.answers(peer);
      if (heard.has(peer)) this.#answers.set(peer, { answeredMs: nowMs, silentMs: 0 });
      else if (isWitness) this.#answers.set(peer, { answeredMs, silentMs: silentMs + sinceMs });
    }
    for (const peer of this.#answers.keys()) if (!members.includes(peer)) this.#answers.delete(peer);
    await this.#write();
  }

  /** It has been silent for the grace period: its chunks are to be had elsewhere. */
  isGone(peer: PeerId): boolean {
    const { silentMs } = this.answers(peer);
    return silentMs > 0 && silentMs >= this.#options.graceMs;
  }

  answers(peer: PeerId): Answers {
    return this.#answers.get(peer) ?? { answeredMs: undefined, silentMs: 0 };
  }

  async #write(): Promise<void> {
    const changed = [...this.#answers].filter(([peer, now]) => isNews(this.#written.get(peer), now));
    const forgotten = [...this.#written.keys()].filter((peer) => !this.#answers.has(peer));
    if (changed.length + forgotten.length === 0) return;
    await this.#options.state.write(() => {
      for (const [peer, { answeredMs, silentMs }] of changed) {
        this.#sql.put.run(idBytes(peer), answeredMs ?? 0, Math.round(silentMs));
      }
      for (const peer of forgotten) this.#sql.forget.run(idBytes(peer));
    });
    for (const [peer, now] of changed) this.#written.set(peer, now);
    for (const peer of forgotten) this.#written.delete(peer);
  }
}

function isNews(before: Answers | undefined, now: Answers): boolean {
  if (before?.silentMs !== now.silentMs) return true;
  return (now.answeredMs ?? 0) - (before.answeredMs ?? 0) >= LIVENESS_WRITE_MS;
}

function read(row: Row): [PeerId, Answers] {
  const answeredMs = integerOf(row, 'answered_ms');
  const silentMs = integerOf(row, 'silent_ms');
  return [parsePeerId(blobOf(row, 'peer')), { answeredMs: answeredMs === 0 ? undefined : answeredMs, silentMs }];
}
