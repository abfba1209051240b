import { setImmediate } from 'node:timers/promises';
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
import { concatBytes } from '../bytes.js';
import { wrapError } from '../errors.js';
import { DELETE_RETRY_MAX_MS, DELETE_RETRY_MIN_MS, MAX_IDS_PER_CALL } from '../limits.js';
import { blobOf, idsOf, integerOf, textOf } from './columns.js';
import type { Database, Row, Statement } from './sqlite.js';

/** A chunk that a peer still has to delete. The order is signed anew for each try. */
export interface PendingDelete {
  readonly peer: PeerId;
  readonly owner: UserId;
  readonly chunk: ChunkId;
  readonly stripe: StripeId;
  /** The stripe is in use, and only this copy of its chunk is to go. */
  readonly stays?: true;
}

/** Deletes that one peer has not acknowledged, or whose stripe could not be forgotten after that. Times are Unix times. */
export interface WaitingDeletes {
  readonly peer: PeerId;
  readonly chunks: number;
  /** The longest; 0: since an older version of Shoal ran here. */
  readonly sinceMs: number;
  readonly nextTryMs: number;
  /** The most that any of them had. */
  readonly tries: number;
  /** Why one of them failed; empty when none was sent yet. */
  readonly reason: string;
}

/** What one signed order carries: one owner's chunks at one peer, MAX_IDS_PER_CALL at most. */
export interface DeleteBatch {
  readonly peer: PeerId;
  readonly owner: UserId;
  readonly deletes: readonly PendingDelete[];
}

/** Chunks of a stripe may lie at peers, and it is not settled yet whether a file refers to it. */
export interface Intent {
  readonly stripe: StripeId;
  readonly owner: UserId;
  readonly chunks: readonly ChunkId[];
  /** Chunk i may lie at target i, and at every target behind the last chunk's. */
  readonly targets: readonly PeerId[];
}

/** The catalog refuses for a moment: nobody is away for days. */
export const FORGET_RETRY_MAX_MS = 5 * 60 * 1000;

const STATEMENTS = {
  add: `INSERT INTO deletes (peer, owner, chunk, stripe, stays, next_try_ms, added_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET stripe = excluded.stripe, stays = excluded.stays, tries = 0, next_try_ms = excluded.next_try_ms`,
  firstDue: `SELECT peer FROM deletes WHERE owner = ?1 AND next_try_ms <= ?2 AND peer > ?3 ORDER BY peer LIMIT 1`,
  due: `SELECT peer, owner, chunk, stripe, stays FROM deletes
        WHERE peer = ? AND owner = ? AND next_try_ms <= ? ORDER BY chunk LIMIT ${String(MAX_IDS_PER_CALL)}`,
  remove: 'DELETE FROM deletes WHERE peer = ? AND owner = ? AND chunk = ?',
  keep: 'DELETE FROM deletes WHERE peer = ? AND owner = ? AND chunk = ? AND stays = 1',
  postpone: `UPDATE deletes SET tries = tries + 1, failure = coalesce(?, failure),
        next_try_ms = ? + min(?, ${String(DELETE_RETRY_MIN_MS)} * (1 << min(tries, 20)))
        WHERE peer = ? AND owner = ? AND chunk = ?`,
  count: 'SELECT count(*) AS pending FROM deletes',
  countOfStripe: 'SELECT count(*) AS pending FROM deletes WHERE stripe = ? AND stays = 0',
  has: 'SELECT 1 AS found FROM deletes WHERE peer = ? AND owner = ? AND chunk = ?',
  isOfRemoved: 'SELECT 1 AS found FROM deletes WHERE peer = ? AND owner = ? AND chunk = ? AND stays = 0',
  waiting: `SELECT peer, count(*) AS chunks, min(added_ms) AS since_ms, min(next_try_ms) AS next_try_ms, max(tries) AS tries,
        max(failure) AS failure FROM deletes GROUP BY peer ORDER BY since_ms`,
  waitingOfStripe: 'SELECT peer, count(*) AS chunks FROM deletes WHERE stripe = ? AND stays = 0 GROUP BY peer',
  intend: `INSERT INTO intents (stripe, owner, chunks, targets) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET chunks = excluded.chunks, targets = excluded.targets`,
  intents: 'SELECT stripe, owner, chunks, targets FROM intents WHERE owner = ?',
  isIntended: 'SELECT 1 AS found FROM intents WHERE stripe = ?',
  settle: 'DELETE FROM intents WHERE stripe = ?',
  recall: 'DELETE FROM deletes WHERE stripe = ? AND stays = 0',
  next: 'SELECT coalesce(min(next_try_ms), -1) AS next_try_ms FROM deletes WHERE owner = ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * Deletes that peers have not acknowledged yet, on this machine's disk: a peer that is away is told when it is back, also
 * after a restart of this one.
 */
export class Outbox implements AsyncDisposable {
  readonly #database: Database;
  readonly #clock: () => number;
  readonly #sql: Statements;
  #done: Promise<unknown> = Promise.resolve();
  /** Intents that the next write takes with it. */
  readonly #settled = new Set<StripeId>();

  private constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** In a database that others use, too, and that closing the outbox leaves open. */
  static over(state: Database, clock: () => number): Outbox {
    return new Outbox(state, clock);
  }

  /**
   * Due at once. Resolves when they would survive a power cut; adding one again makes it due again. Intents for their
   * stripes are settled by it, unless the stripe stays.
   */
  async add(deletes: readonly PendingDelete[], delayMs = 0): Promise<void> {
    const nowMs = this.#clock();
    const dueMs = nowMs + delayMs;
    await this.#forEach(deletes, (one) =>
      this.#sql.add.run(...keyOf(one), idBytes(one.stripe), Number(one.stays === true), dueMs, nowMs),
    );
    const stripes = new Set(deletes.filter(({ stays }) => stays !== true).map(({ stripe }) => stripe));
    this.settle([...stripes].filter((stripe) => this.isIntended(stripe)));
  }

  /** Before a stripe's first chunk leaves. Resolves when it would survive a power cut. */
  async intend(intent: Intent): Promise<void> {
    this.#settled.delete(intent.stripe);
    const row = rowOf(intent);
    await this.#write(() => this.#sql.intend.run(...row));
  }

  /** Before a file stops referring to these stripes. Resolves when they would survive a power cut. */
  async intendAll(intents: readonly Intent[]): Promise<void> {
    for (const { stripe } of intents) this.#settled.delete(stripe);
    for (let start = 0; start < intents.length; start += MAX_IDS_PER_CALL) {
      const rows = intents.slice(start, start + MAX_IDS_PER_CALL).map(rowOf);
      await this.#write(() => {
        for (const row of rows) this.#sql.intend.run(...row);
      });
    }
  }

  /**
   * A file refers to these stripes, or their chunks are to be deleted. Written with whatever is written next: an intent that
   * a power cut brings back is found settled by whoever looks for its file.
   */
  settle(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) this.#settled.add(stripe);
  }

  /** The owner's that are not settled. */
  intents(owner: UserId): readonly Intent[] {
    return this.#sql.intents
      .all(idBytes(owner))
      .map(intentOf)
      .filter(({ stripe }) => !this.#settled.has(stripe));
  }

  /** Whether there is an intent for this stripe that is not settled. */
  isIntended(stripe: StripeId): boolean {
    return !this.#settled.has(stripe) && this.#sql.isIntended.get(idBytes(stripe)) !== undefined;
  }

  /** Writes what was settled since the last write, if anything was. */
  async flush(): Promise<void> {
    if (this.#settled.size > 0) await this.#write(() => undefined);
  }

  async #write(work: () => unknown): Promise<void> {
    const settled = [...this.#settled];
    await this.#database.write(() => {
      for (const stripe of settled) this.#sql.settle.run(idBytes(stripe));
      work();
    });
    for (const stripe of settled) this.#settled.delete(stripe);
  }

  /** The owner's deletes that are due, one batch for each peer; what exceeds a batch comes with the next call. */
  due(owner: UserId): readonly DeleteBatch[] {
    const batches: DeleteBatch[] = [];
    const nowMs = this.#clock();
    for (let peer = this.#nextPeer(owner, nowMs); peer !== undefined; peer = this.#nextPeer(owner, nowMs, peer)) {
      const rows = this.#sql.due.all(idBytes(peer), idBytes(owner), nowMs);
      batches.push({ peer, owner, deletes: rows.map(deleteOf) });
    }
    return batches;
  }

  #nextPeer(owner: UserId, nowMs: number, after?: PeerId): PeerId | undefined {
    const row = this.#sql.firstDue.get(idBytes(owner), nowMs, after === undefined ? new Uint8Array() : idBytes(after));
    return row === undefined ? undefined : parsePeerId(blobOf(row, 'peer'));
  }

  /**
   * The peers acknowledged them.
   *
   * @param forget is told of the stripes of which nothing else is left to be deleted, before that is written down: where this is
   * interrupted, the deletes are sent once more, and it is told again. Where it fails, they are due again later, within FORGET_RETRY_MAX_MS
   */
  async done(
    deletes: readonly PendingDelete[],
    forget: (stripes: readonly StripeId[]) => Promise<void>,
  ): Promise<void> {
    // Of two at once, each with a part of a stripe's, one has to see that nothing is left.
    const turn = this.#done.then(async () => {
      const ended = await this.#endedBy(deletes);
      const last = deletes.filter(({ stripe }) => ended.has(stripe));
      await this.#remove(deletes.filter(({ stripe }) => !ended.has(stripe)));
      if (last.length === 0) return;
      try {
        await forget([...ended]);
      } catch (error) {
        const { message } = wrapError(error, 'Deleting the record of a stripe');
        await this.#postpone(last, { reason: message, maxMs: FORGET_RETRY_MAX_MS });
        return;
      }
      await this.#remove(last);
    });
    this.#done = turn.catch(() => undefined);
    await turn;
  }

  /** Of stripes that are removed, those of which nothing is left to be deleted but these. */
  async #endedBy(deletes: readonly PendingDelete[]): Promise<ReadonlySet<StripeId>> {
    const found = new Map<StripeId, number>();
    for (const [index, one] of deletes.entries()) {
      if (index % MAX_IDS_PER_CALL === MAX_IDS_PER_CALL - 1) await setImmediate();
      if (this.#sql.isOfRemoved.get(...keyOf(one)) === undefined) continue;
      found.set(one.stripe, (found.get(one.stripe) ?? 0) + 1);
    }
    const ended = [...found].filter(([stripe, amount]) => this.pending(stripe) === amount);
    return new Set(ended.map(([stripe]) => stripe));
  }

  #remove(deletes: readonly PendingDelete[]): Promise<void> {
    return this.#forEach(deletes, (one) => this.#sql.remove.run(...keyOf(one)));
  }

  /** They are not sent: of stripes that stay, and right where they are. */
  async keep(deletes: readonly PendingDelete[]): Promise<void> {
    await this.#forEach(deletes, (one) => this.#sql.keep.run(...keyOf(one)));
  }

  /** Files refer to these stripes again: what is left of their deletes is not sent. Durable when it resolves. */
  async recall(stripes: readonly StripeId[]): Promise<void> {
    this.settle(stripes);
    await this.#write(() => {
      for (const stripe of stripes) this.#sql.recall.run(idBytes(stripe));
    });
  }

  /**
   * The peer did not take them: they are due again later, each time twice as late.
   *
   * @param reason for people; absent when it was not even asked: the last one is kept
   */
  postpone(deletes: readonly PendingDelete[], reason?: string): Promise<void> {
    return this.#postpone(deletes, { reason, maxMs: DELETE_RETRY_MAX_MS });
  }

  async #postpone(
    deletes: readonly PendingDelete[],
    { reason, maxMs }: { readonly reason: string | undefined; readonly maxMs: number },
  ): Promise<void> {
    const nowMs = this.#clock();
    await this.#forEach(deletes, (one) => this.#sql.postpone.run(reason ?? null, nowMs, maxMs, ...keyOf(one)));
  }

  /** Removing a large folder makes many: the event loop gets its turn between the transactions. */
  async #forEach(deletes: readonly PendingDelete[], apply: (one: PendingDelete) => void): Promise<void> {
    for (let start = 0; start < deletes.length; start += MAX_IDS_PER_CALL) {
      const some = deletes.slice(start, start + MAX_IDS_PER_CALL);
      await this.#database.write(() => {
        some.forEach(apply);
      });
    }
  }

  /** How many are left; with a stripe, how many of its chunks, where it does not stay. */
  pending(stripe?: StripeId): number {
    const row = stripe === undefined ? this.#sql.count.get() : this.#sql.countOfStripe.get(idBytes(stripe));
    return integerOf(row ?? {}, 'pending');
  }

  has(one: Omit<PendingDelete, 'stripe'>): boolean {
    return this.#sql.has.get(...keyOf(one)) !== undefined;
  }

  /** What waits for which peer, the longest first. */
  waiting(): readonly WaitingDeletes[] {
    return this.#sql.waiting.all().map((row) => ({
      peer: parsePeerId(blobOf(row, 'peer')),
      chunks: integerOf(row, 'chunks'),
      sinceMs: integerOf(row, 'since_ms'),
      nextTryMs: integerOf(row, 'next_try_ms'),
      tries: integerOf(row, 'tries'),
      reason: textOf(row, 'failure'),
    }));
  }

  /** How many chunks of a stripe that does not stay wait for which peer. */
  waitingOf(stripe: StripeId): ReadonlyMap<PeerId, number> {
    const rows = this.#sql.waitingOfStripe.all(idBytes(stripe));
    return new Map(rows.map((row) => [parsePeerId(blobOf(row, 'peer')), integerOf(row, 'chunks')]));
  }

  /** When the owner's next delete is due, in Unix time; undefined when none is left. */
  nextDueMs(owner: UserId): number | undefined {
    const nextMs = integerOf(this.#sql.next.get(idBytes(owner)) ?? {}, 'next_try_ms');
    return nextMs < 0 ? undefined : nextMs;
  }

  async close(): Promise<void> {
    await this.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function keyOf({
  peer,
  owner,
  chunk,
}: Omit<PendingDelete, 'stripe'>): [peer: Uint8Array, owner: Uint8Array, chunk: Uint8Array] {
  return [idBytes(peer), idBytes(owner), idBytes(chunk)];
}

function rowOf({ stripe, owner, chunks, targets }: Intent): Uint8Array[] {
  const [ids, peers] = [chunks.map((id) => idBytes(id)), targets.map((id) => idBytes(id))];
  return [idBytes(stripe), idBytes(owner), concatBytes(...ids), concatBytes(...peers)];
}

function deleteOf(row: Row): PendingDelete {
  return {
    peer: parsePeerId(blobOf(row, 'peer')),
    owner: parseUserId(blobOf(row, 'owner')),
    chunk: parseChunkId(blobOf(row, 'chunk')),
    stripe: parseStripeId(blobOf(row, 'stripe')),
    ...(integerOf(row, 'stays') === 1 && { stays: true }),
  };
}

function intentOf(row: Row): Intent {
  return {
    stripe: parseStripeId(blobOf(row, 'stripe')),
    owner: parseUserId(blobOf(row, 'owner')),
    chunks: idsOf(row, 'chunks').map(parseChunkId),
    targets: idsOf(row, 'targets').map(parsePeerId),
  };
}
