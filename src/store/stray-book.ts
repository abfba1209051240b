import { concatBytes } from '../bytes.js';
import {
  idBytes,
  parseChunkId,
  parsePeerId,
  parseStripeId,
  parseUserId,
  type ChunkId,
  type PeerId,
  type StripeId,
  type UserId,
} from '../chunk/ids.js';
import { blobOf, idsOf, integerOf, textOf } from './columns.js';
import type { Database, Row, Statement } from './sqlite.js';

/** What a peer told to hold of an owner. Times are Unix times; 0: never. */
export interface Inventory {
  readonly owner: UserId;
  readonly peer: PeerId;
  /** Behind which chunk the listing under way goes on; undefined: it begins, or none is under way. */
  readonly after: ChunkId | undefined;
  readonly begun: boolean;
  readonly triedMs: number;
  /** When it was last listed to the end, and what that came to. */
  readonly listedMs: number;
  readonly chunks: number;
  readonly bytes: number;
  /** Why the last attempt ended; empty when it did not fail. */
  readonly failure: string;
}

/** A chunk of a stripe that no file refers to. */
export interface Stray {
  readonly peer: PeerId;
  readonly chunk: ChunkId;
  readonly stripe: StripeId;
  readonly bytes: number;
}

/** A part of a peer's listing: all that it has behind `after`, up to `through` or to the end. */
export interface ListedPage {
  readonly after: ChunkId | undefined;
  readonly through: ChunkId | undefined;
  readonly chunks: number;
  readonly bytes: number;
  readonly strays: readonly Omit<Stray, 'peer'>[];
}

/** Strays at one peer. */
export interface StrayTotals {
  readonly peer: PeerId;
  readonly chunks: number;
  readonly bytes: number;
  /** Of them, those that were there before this peer watched: nothing is known of where they come from. */
  readonly oldChunks: number;
  readonly oldBytes: number;
  readonly oldestMs: number;
}

/** Since when this peer knows what others hold of an owner. */
export interface Watch {
  /** Since when every member has been listed once; 0: not yet. */
  readonly sinceMs: number;
  /** Since when the homes of the owner are those that they are. */
  readonly homesMs: number;
  readonly awaited: readonly PeerId[];
  /** When strays are to be looked at again. */
  readonly nextMs: number;
}

export interface RipeOptions {
  readonly graceMs: number;
  readonly listings: number;
  readonly old: boolean;
  readonly limit: number;
  readonly after?: StripeId | undefined;
}

const LISTED = 'owner = ?1 AND peer = ?2 AND chunk > ?3 AND (?4 IS NULL OR chunk <= ?4)';
/** The stripe was there before the watch began, or there is no watch. */
const IS_OLD = `NOT EXISTS (SELECT 1 FROM watches w WHERE w.owner = s.owner AND w.since_ms > 0)
  OR EXISTS (SELECT 1 FROM strays o JOIN watches w ON w.owner = o.owner
             WHERE o.owner = s.owner AND o.stripe = s.stripe AND o.since_ms <= w.since_ms)`;

const STATEMENTS = {
  inventories:
    'SELECT owner, peer, after, begun, tried_ms, listed_ms, chunks, bytes, failure FROM inventories WHERE owner = ?',
  all: 'SELECT owner, peer, after, begun, tried_ms, listed_ms, chunks, bytes, failure FROM inventories',
  begin: `INSERT INTO inventories VALUES (?1, ?2, x'', 1, ?3, 0, 0, 0, 0, 0, '')
          ON CONFLICT DO UPDATE SET begun = 1, tried_ms = ?3, failure = '',
            next_chunks = iif(after = x'', 0, next_chunks), next_bytes = iif(after = x'', 0, next_bytes)`,
  advance: `UPDATE inventories SET after = ?3, next_chunks = next_chunks + ?4, next_bytes = next_bytes + ?5
            WHERE owner = ?1 AND peer = ?2`,
  end: `UPDATE inventories SET after = x'', begun = 0, listed_ms = ?3, chunks = next_chunks, bytes = next_bytes
        WHERE owner = ?1 AND peer = ?2`,
  fail: 'UPDATE inventories SET failure = ?3 WHERE owner = ?1 AND peer = ?2',
  passOver: `UPDATE strays SET here = 0 WHERE ${LISTED}`,
  see: `INSERT INTO strays (owner, peer, chunk, stripe, bytes, since_ms, seen_ms, here) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)
        ON CONFLICT DO UPDATE SET stripe = excluded.stripe, bytes = excluded.bytes, seen_ms = excluded.seen_ms, here = 1,
          listings = listings + 1`,
  dropPassed: `DELETE FROM strays WHERE ${LISTED} AND here = 0
        AND since_ms > (SELECT since_ms FROM watches w WHERE w.owner = ?1 AND w.since_ms > 0)`,
  ripe: `SELECT peer, chunk, stripe, bytes FROM strays s WHERE owner = ?1 AND here = 1 AND seen_ms - since_ms >= ?2
         AND listings >= ?5 AND stripe > ?6 AND (?3 = 1 OR NOT (${IS_OLD})) ORDER BY stripe LIMIT ?4`,
  count: 'SELECT count(*) AS chunks FROM strays WHERE owner = ? AND here = 1',
  drop: 'DELETE FROM strays WHERE owner = ? AND peer = ? AND chunk = ?',
  totals: `SELECT peer, count(*) AS chunks, sum(bytes) AS bytes, sum(iif(${IS_OLD}, 1, 0)) AS old_chunks,
           sum(iif(${IS_OLD}, bytes, 0)) AS old_bytes, min(since_ms) AS oldest_ms
           FROM strays s WHERE here = 1 GROUP BY peer`,
  watch: 'SELECT since_ms, homes, homes_ms, awaited, next_ms FROM watches WHERE owner = ?',
  watches: 'SELECT owner, since_ms, homes, homes_ms, awaited, next_ms FROM watches',
  putWatch:
    'INSERT OR REPLACE INTO watches (owner, since_ms, homes, homes_ms, awaited, next_ms) VALUES (?, ?, ?, ?, ?, ?)',
  forgetInventory: 'DELETE FROM inventories WHERE owner = ? AND peer = ?',
  forgetInventories: 'DELETE FROM inventories WHERE owner = ?',
  forgetStrays: 'DELETE FROM strays WHERE owner = ?',
  forgetWatch: 'DELETE FROM watches WHERE owner = ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * What other peers told to hold of each owner, and which chunks of that nothing refers to, on this machine's disk. By this
 * peer's own watch: no time of another peer's is in it.
 */
export class StrayBook {
  readonly #state: Database;
  readonly #clock: () => number;
  readonly #sql: Statements;
  #last: Promise<void> = Promise.resolve();

  constructor(state: Database, clock: () => number) {
    this.#state = state;
    this.#clock = clock;
    this.#sql = state.prepareAll(STATEMENTS);
  }

  /** One such work after the other: two that list the same peer would count its chunks twice. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // Whoever waits for the work is told how it ended.
    this.#last = turn.then(noop, noop);
    return turn;
  }

  get nowMs(): number {
    return this.#clock();
  }

  /** Absent: of all owners. */
  inventories(owner?: UserId): readonly Inventory[] {
    const rows = owner === undefined ? this.#sql.all.all() : this.#sql.inventories.all(idBytes(owner));
    return rows.map(inventoryOf);
  }

  /** A listing begins, or goes on. */
  async begin(owner: UserId, peer: PeerId): Promise<void> {
    await this.#state.write(() => this.#sql.begin.run(idBytes(owner), idBytes(peer), this.#clock()));
  }

  async fail(owner: UserId, peer: PeerId, reason: string): Promise<void> {
    await this.#state.write(() => this.#sql.fail.run(idBytes(owner), idBytes(peer), reason));
  }

  /** Notes what came of a listing. What was a stray in that part and is none any more is forgotten. */
  async note(owner: UserId, peer: PeerId, page: ListedPage): Promise<void> {
    const nowMs = this.#clock();
    const [user, holder] = [idBytes(owner), idBytes(peer)];
    const after = page.after === undefined ? new Uint8Array() : idBytes(page.after);
    const through = page.through === undefined ? null : idBytes(page.through);
    await this.#state.write(() => {
      this.#sql.passOver.run(user, holder, after, through);
      for (const { chunk, stripe, bytes } of page.strays) {
        this.#sql.see.run(user, holder, idBytes(chunk), idBytes(stripe), bytes, nowMs);
      }
      this.#sql.dropPassed.run(user, holder, after, through);
      this.#sql.advance.run(user, holder, through ?? new Uint8Array(), page.chunks, page.bytes);
      if (through === null) this.#sql.end.run(user, holder, nowMs);
    });
  }

  /**
   * Notes who the members and the homes of the owner are. The watch begins when all members have been listed once. What a
   * peer told that is no member any more is forgotten.
   */
  async watch(owner: UserId, members: readonly PeerId[], homes: readonly PeerId[]): Promise<Watch> {
    for (const { peer } of this.inventories(owner)) if (!members.includes(peer)) await this.#forgetPeer(owner, peer);
    const row = this.#sql.watch.get(idBytes(owner));
    const before = row === undefined ? undefined : watchOf(row);
    const listed = new Map(this.inventories(owner).map(({ peer, listedMs }) => [peer, listedMs]));
    const isListed = members.every((peer) => (listed.get(peer) ?? 0) > 0);
    const known = concatBytes(...[...homes].sort().map((home) => idBytes(home)));
    const isSame = row !== undefined && Buffer.from(blobOf(row, 'homes')).equals(known);
    const nowMs = this.#clock();
    const sinceMs = before !== undefined && before.sinceMs > 0 ? before.sinceMs : isListed ? nowMs : 0;
    if (isSame && before?.sinceMs === sinceMs) return before;
    const now = { awaited: [], nextMs: 0, ...before, sinceMs, homesMs: isSame ? (before?.homesMs ?? nowMs) : nowMs };
    await this.#putWatch(owner, known, now);
    return now;
  }

  /** Strays are to be looked at again then. @param awaited whose word is lacking */
  async wait(owner: UserId, awaited: readonly PeerId[], nextMs: number): Promise<void> {
    const row = this.#sql.watch.get(idBytes(owner));
    if (row !== undefined) await this.#putWatch(owner, blobOf(row, 'homes'), { ...watchOf(row), awaited, nextMs });
  }

  watches(): readonly (Watch & { readonly owner: UserId })[] {
    return this.#sql.watches.all().map((row) => ({ owner: parseUserId(blobOf(row, 'owner')), ...watchOf(row) }));
  }

  /**
   * Strays that were there in two listings so far apart, in so many listings in all, and in the last one; by stripe.
   *
   * @param options old: also of stripes that were there before the watch began; after: only of stripes behind this one
   */
  ripe(owner: UserId, options: RipeOptions): readonly Stray[] {
    const { graceMs, listings, old, limit, after } = options;
    const behind = after === undefined ? new Uint8Array() : idBytes(after);
    return this.#sql.ripe.all(idBytes(owner), graceMs, Number(old), limit, listings, behind).map(strayOf);
  }

  /** They are being deleted. */
  async drop(owner: UserId, strays: readonly Stray[]): Promise<void> {
    await this.#state.write(() => {
      for (const { peer, chunk } of strays) this.#sql.drop.run(idBytes(owner), idBytes(peer), idBytes(chunk));
    });
  }

  /** Chunks of the owner that peers listed, and how many of them are strays. */
  counts(owner: UserId): { readonly chunks: number; readonly strays: number } {
    const chunks = this.inventories(owner).reduce((sum, told) => sum + told.chunks, 0);
    return { chunks, strays: integerOf(this.#sql.count.get(idBytes(owner)) ?? {}, 'chunks') };
  }

  totals(): readonly StrayTotals[] {
    return this.#sql.totals.all().map((row) => ({
      peer: parsePeerId(blobOf(row, 'peer')),
      chunks: integerOf(row, 'chunks'),
      bytes: integerOf(row, 'bytes'),
      oldChunks: integerOf(row, 'old_chunks'),
      oldBytes: integerOf(row, 'old_bytes'),
      oldestMs: integerOf(row, 'oldest_ms'),
    }));
  }

  /** What was known of the catalog was lost: whatever lies at peers now is from before the watch. */
  async forget(owner: UserId): Promise<void> {
    const { forgetInventories, forgetStrays, forgetWatch } = this.#sql;
    await this.#state.write(() => {
      for (const statement of [forgetInventories, forgetStrays, forgetWatch]) statement.run(idBytes(owner));
    });
  }

  /** But not which stripes were there before the watch began: a chunk of them may have been moved to a member. */
  async #forgetPeer(owner: UserId, peer: PeerId): Promise<void> {
    const ids = [idBytes(owner), idBytes(peer)] as const;
    await this.#state.write(() => {
      this.#sql.passOver.run(...ids, new Uint8Array(), null);
      this.#sql.dropPassed.run(...ids, new Uint8Array(), null);
      this.#sql.forgetInventory.run(...ids);
    });
  }

  async #putWatch(owner: UserId, homes: Uint8Array, watch: Watch): Promise<void> {
    const { sinceMs, homesMs, awaited, nextMs } = watch;
    const peers = concatBytes(...awaited.map((peer) => idBytes(peer)));
    await this.#state.write(() => this.#sql.putWatch.run(idBytes(owner), sinceMs, homes, homesMs, peers, nextMs));
  }
}

function noop(): void {
  // the end of one turn is the beginning of the next
}

function inventoryOf(row: Row): Inventory {
  const after = blobOf(row, 'after');
  return {
    owner: parseUserId(blobOf(row, 'owner')),
    peer: parsePeerId(blobOf(row, 'peer')),
    after: after.length === 0 ? undefined : parseChunkId(after),
    begun: integerOf(row, 'begun') === 1,
    triedMs: integerOf(row, 'tried_ms'),
    listedMs: integerOf(row, 'listed_ms'),
    chunks: integerOf(row, 'chunks'),
    bytes: integerOf(row, 'bytes'),
    failure: textOf(row, 'failure'),
  };
}

function strayOf(row: Row): Stray {
  return {
    peer: parsePeerId(blobOf(row, 'peer')),
    chunk: parseChunkId(blobOf(row, 'chunk')),
    stripe: parseStripeId(blobOf(row, 'stripe')),
    bytes: integerOf(row, 'bytes'),
  };
}

function watchOf(row: Row): Watch {
  return {
    sinceMs: integerOf(row, 'since_ms'),
    homesMs: integerOf(row, 'homes_ms'),
    awaited: idsOf(row, 'awaited').map(parsePeerId),
    nextMs: integerOf(row, 'next_ms'),
  };
}
