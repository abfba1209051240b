import {
  idBytes,
  parseChunkId,
  parsePeerId,
  parseStripeId,
  type ChunkId,
  type PeerId,
  type StripeId,
} from '../chunk/ids.js';
import { MAX_DENIALS, SURVEY_PAGE } from '../limits.js';
import { blobOf, integerOf, textOf } from '../store/columns.js';
import type { Database, Row, Statement } from '../store/sqlite.js';

/**
 * missing: the peer does not have it. damaged: its scrub found it so, and could not mend it. withdrawn: its owner has taken it
 * back, by an order that the peer has seen; then it is no fault of anybody, and nothing that a repair should bring back.
 */
export type DenialReason = 'missing' | 'damaged' | 'withdrawn';

/** A chunk that is not where its record says, by the word of the peer that should have it. */
export interface Denial {
  readonly peer: PeerId;
  readonly chunk: ChunkId;
  readonly stripe: StripeId;
  readonly reason: DenialReason;
  /** Unix time. */
  readonly atMs: number;
}

/** When a peer was compared last. */
export interface Compared {
  /** Unix time. */
  readonly atMs: number;
  readonly opened: string;
}

const STATEMENTS = {
  all: 'SELECT peer, chunk, reason FROM denials',
  page: 'SELECT * FROM denials WHERE (peer, chunk) > (?, ?) ORDER BY peer, chunk LIMIT ?',
  put: 'INSERT OR REPLACE INTO denials (peer, chunk, stripe, reason, at_ms) VALUES (?, ?, ?, ?, ?)',
  drop: 'DELETE FROM denials WHERE peer = ? AND chunk = ?',
  compared: 'SELECT peer, compared_ms, opened FROM compared_peers',
  putCompared: 'INSERT OR REPLACE INTO compared_peers (peer, compared_ms, opened) VALUES (?, ?, ?)',
  forgetCompared: 'DELETE FROM compared_peers WHERE peer = ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;
type Key = Pick<Denial, 'peer' | 'chunk'>;

/** What peers have said that they do not hold, on this peer's own disk. An honest no is no lie: it distrusts nobody. */
export class Denials {
  readonly #state: Database;
  readonly #sql: Statements;
  readonly #byPeer = new Map<PeerId, Map<ChunkId, DenialReason>>();
  readonly #compared = new Map<PeerId, Compared>();
  #count = 0;
  #revision = 0;
  #published = 0;

  constructor(state: Database) {
    this.#state = state;
    this.#sql = state.prepareAll(STATEMENTS);
    for (const row of this.#sql.all.all()) this.#remember({ ...keyOf(row), reason: reasonOf(row) });
    for (const row of this.#sql.compared.all()) {
      const compared = { atMs: integerOf(row, 'compared_ms'), opened: textOf(row, 'opened') };
      this.#compared.set(parsePeerId(blobOf(row, 'peer')), compared);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Changes with every denial that comes or goes. */
  get revision(): number {
    return this.#revision;
  }

  /** Changes when a look is over that found something new: before, a survey would soon be wrong again. */
  get published(): number {
    return this.#published;
  }

  publish(): void {
    this.#published = this.#revision;
  }

  of(peer: PeerId, chunk: ChunkId): DenialReason | undefined {
    return this.#byPeer.get(peer)?.get(chunk);
  }

  /** How many chunks a peer denies, without those that their owners took back. */
  countOf(peer: PeerId): number {
    let count = 0;
    for (const reason of this.#byPeer.get(peer)?.values() ?? []) if (reason !== 'withdrawn') count++;
    return count;
  }

  /** Repair is due, at the peer or elsewhere. */
  isFault(peer: PeerId, chunk: ChunkId): boolean {
    const reason = this.of(peer, chunk);
    return reason !== undefined && reason !== 'withdrawn';
  }

  /** Durable when it resolves. @returns peers of those that are left for a later look: there are MAX_DENIALS already */
  async note(found: readonly Denial[]): Promise<ReadonlySet<PeerId>> {
    const left = new Set<PeerId>();
    let room = MAX_DENIALS - this.#count;
    const kept = found.filter(({ peer, chunk }) => {
      const isKept = this.of(peer, chunk) !== undefined || room-- > 0;
      if (!isKept) left.add(peer);
      return isKept;
    });
    if (kept.length === 0) return left;
    await this.#state.write(() => {
      for (const { peer, chunk, stripe, reason, atMs } of kept) {
        this.#sql.put.run(idBytes(peer), idBytes(chunk), idBytes(stripe), reason, atMs);
      }
    });
    for (const denial of kept) if (this.#remember(denial)) this.#revision++;
    return left;
  }

  /** They are there again, or need not be there any more. */
  async settle(keys: readonly Key[]): Promise<void> {
    const known = keys.filter(({ peer, chunk }) => this.of(peer, chunk) !== undefined);
    if (known.length === 0) return;
    for (const { peer, chunk } of known) if (this.#byPeer.get(peer)?.delete(chunk) === true) this.#count--;
    this.#revision++;
    await this.#state.write(() => {
      for (const { peer, chunk } of known) this.#sql.drop.run(idBytes(peer), idBytes(chunk));
    });
  }

  /** All of them, SURVEY_PAGE at a time, by peer. */
  *pages(): Generator<readonly Denial[]> {
    for (let after: Key | undefined; ;) {
      const [peer, chunk] = after === undefined ? [EMPTY, EMPTY] : [idBytes(after.peer), idBytes(after.chunk)];
      const page = this.#sql.page.all(peer, chunk, SURVEY_PAGE).map(denialOf);
      after = page.at(-1);
      if (after === undefined) return;
      yield page;
    }
  }

  compared(peer: PeerId): Compared | undefined {
    return this.#compared.get(peer);
  }

  async noteCompared(peers: ReadonlyMap<PeerId, Compared>): Promise<void> {
    for (const [peer, compared] of peers) this.#compared.set(peer, compared);
    await this.#state.write(() => {
      for (const [peer, { atMs, opened }] of peers) this.#sql.putCompared.run(idBytes(peer), atMs, opened);
    });
  }

  /** Of who is no member any more. */
  async forgetOthers(members: ReadonlySet<PeerId>): Promise<void> {
    const gone = [...this.#compared.keys()].filter((peer) => !members.has(peer));
    for (const peer of gone) this.#compared.delete(peer);
    if (gone.length > 0) {
      await this.#state.write(() => {
        for (const peer of gone) this.#sql.forgetCompared.run(idBytes(peer));
      });
    }
    for (const [peer, chunks] of [...this.#byPeer]) {
      if (!members.has(peer)) await this.settle([...chunks.keys()].map((chunk) => ({ peer, chunk })));
    }
  }

  /** @returns whether that is news */
  #remember({ peer, chunk, reason }: Pick<Denial, 'peer' | 'chunk' | 'reason'>): boolean {
    const chunks = this.#byPeer.get(peer) ?? new Map<ChunkId, DenialReason>();
    this.#byPeer.set(peer, chunks);
    const before = chunks.get(chunk);
    chunks.set(chunk, reason);
    if (before === undefined) this.#count++;
    return before !== reason;
  }
}

const EMPTY = new Uint8Array();

function keyOf(row: Row): Key {
  return { peer: parsePeerId(blobOf(row, 'peer')), chunk: parseChunkId(blobOf(row, 'chunk')) };
}

function reasonOf(row: Row): DenialReason {
  return textOf(row, 'reason') as DenialReason;
}

function denialOf(row: Row): Denial {
  const stripe = parseStripeId(blobOf(row, 'stripe'));
  return { ...keyOf(row), stripe, reason: reasonOf(row), atMs: integerOf(row, 'at_ms') };
}
