import {
  idBytes,
  parseChunkId,
  parseStripeId,
  parseUserId,
  type ChunkId,
  type StripeId,
  type UserId,
} from '../chunk/ids.js';
import type { ChunkShape } from '../chunk/segments.js';
import { blobOf, integerOf, textOf } from './columns.js';
import type { Database, Row, Statement } from './sqlite.js';

/** A chunk that a scrub is to read. */
export interface DueChunk {
  readonly id: ChunkId;
  readonly bytes: number;
  /** Unix time when it was last read; 0: never, or it is to be read first. */
  readonly readMs: number;
}

/** A chunk that could not be mended yet. */
export interface KnownDamage {
  readonly id: ChunkId;
  /** Of which it is, where that is known although the chunk is gone with its label. */
  readonly stripe: StripeId | undefined;
  /** One or two sentences for a person. */
  readonly reason: string;
  readonly foundMs: number;
  readonly tries: number;
  readonly nextTryMs: number;
}

/** What an owner said about a chunk. */
export interface Claim {
  readonly owner: UserId;
  readonly label: Uint8Array;
}

const STATEMENTS = {
  oldest: `SELECT chunk, read_ms, bytes FROM scrubs JOIN chunks ON id = chunk
           WHERE read_ms < ? ORDER BY read_ms, chunk LIMIT ?`,
  oldestRead: 'SELECT min(read_ms) AS read_ms FROM scrubs',
  forgetFuture: 'UPDATE scrubs SET read_ms = 0 WHERE read_ms > ?',
  read: 'UPDATE scrubs SET read_ms = ? WHERE chunk = ?',
  readFirst: `UPDATE scrubs SET read_ms = 0
              WHERE chunk = ?1 AND NOT EXISTS (SELECT 1 FROM damages WHERE chunk = ?1)`,
  claims: 'SELECT owner, label FROM claims WHERE chunk = ? ORDER BY owner',
  relabel: 'INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET label = excluded.label',
  unclaim: 'DELETE FROM claims WHERE owner = ? AND chunk = ?',
  reshape: 'UPDATE chunks SET bytes = ?, segment_bytes = ?, hashes = ? WHERE id = ?',
  refill: 'INSERT INTO contents VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes',
  isUnlinked: 'SELECT 1 FROM unlinks WHERE id = ?',
  isWithdrawn: 'SELECT 1 FROM withdrawals WHERE owner = ? AND chunk = ?',
  forgetWithdrawals: 'DELETE FROM withdrawals WHERE withdrawn_ms < ?',
  noteDamage: `INSERT INTO damages VALUES (?1, ?2, ?3, ?4, 1, ?5)
               ON CONFLICT DO UPDATE SET reason = excluded.reason, tries = tries + 1, next_try_ms = excluded.next_try_ms,
                                         stripe = coalesce(excluded.stripe, stripe)`,
  removeDamage: 'DELETE FROM damages WHERE chunk = ?',
  damage: 'SELECT * FROM damages WHERE chunk = ?',
  dueDamages: 'SELECT * FROM damages WHERE next_try_ms <= ? ORDER BY next_try_ms LIMIT ?',
  damagesBehind: 'SELECT * FROM damages WHERE chunk > ? ORDER BY chunk LIMIT ?',
  damages: 'SELECT * FROM damages ORDER BY found_ms DESC LIMIT ?',
  damageCount: 'SELECT count(*) AS amount FROM damages',
  strays: 'SELECT chunk, since_ms FROM strays',
  forgetStrays: 'DELETE FROM strays',
  addStray: 'INSERT INTO strays VALUES (?, ?)',
  recount: 'UPDATE totals SET (chunks, bytes) = (SELECT count(*), coalesce(sum(bytes), 0) FROM chunks)',
  surveyed: 'SELECT surveyed_ms FROM surveys',
  noteSurvey: 'UPDATE surveys SET surveyed_ms = ?',
} as const;

/**
 * What scrubbing keeps in the chunk index. Times and notes are not synced: what a power cut takes of them is read, or found,
 * once more.
 */
export class ScrubIndex {
  readonly #database: Database;
  readonly #sql: Readonly<Record<keyof typeof STATEMENTS, Statement>>;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** Those that were not read since, the one that was read longest ago first. */
  oldest(beforeMs: number, limit: number): readonly DueChunk[] {
    return this.#sql.oldest.all(beforeMs, limit).map((row) => ({
      id: parseChunkId(blobOf(row, 'chunk')),
      bytes: integerOf(row, 'bytes'),
      readMs: integerOf(row, 'read_ms'),
    }));
  }

  /** Of the chunk that was read longest ago; undefined without any chunk. */
  oldestReadMs(): number | undefined {
    const value = this.#sql.oldestRead.get()?.['read_ms'];
    return typeof value === 'number' ? value : undefined;
  }

  /** What was read later than now was not: the clock has been turned. */
  forgetFuture(nowMs: number): void {
    this.#sql.forgetFuture.run(nowMs);
  }

  /** A reader found it damaged: it is read first. One that is known to be damaged has a next try of its own. */
  noteFault(id: ChunkId): void {
    this.#sql.readFirst.run(idBytes(id));
  }

  noteRead(id: ChunkId, readMs: number): void {
    this.#sql.read.run(readMs, idBytes(id));
  }

  /** Also those of a chunk whose row is gone. */
  claims(id: ChunkId): readonly Claim[] {
    return this.#sql.claims
      .all(idBytes(id))
      .map((row) => ({ owner: parseUserId(blobOf(row, 'owner')), label: blobOf(row, 'label') }));
  }

  /** Puts the label in the place of the one that is there. */
  async relabel(id: ChunkId, { owner, label }: Claim): Promise<void> {
    await this.#database.write(() => this.#sql.relabel.run(idBytes(owner), idBytes(id), label));
  }

  /** Puts the claim in the place of a row that nobody made: its owner's name has rotted. Both or neither. */
  async rename(id: ChunkId, { owner, label }: Claim, misnamed: UserId): Promise<void> {
    await this.#database.write(() => {
      this.#sql.relabel.run(idBytes(owner), idBytes(id), label);
      this.#sql.unclaim.run(idBytes(misnamed), idBytes(id));
    });
  }

  /** What the id commits to, in the place of what the row says. */
  async reshape(id: ChunkId, { bytes, segmentBytes, hashes }: ChunkShape): Promise<void> {
    await this.#database.write(() => this.#sql.reshape.run(bytes, segmentBytes, hashes, idBytes(id)));
  }

  /** The bytes of a small chunk, in the place of those that are there. */
  async refill(id: ChunkId, content: Uint8Array): Promise<void> {
    await this.#database.write(() => this.#sql.refill.run(idBytes(id), content));
  }

  isUnlinked(id: ChunkId): boolean {
    return this.#sql.isUnlinked.get(idBytes(id)) !== undefined;
  }

  isWithdrawn(owner: UserId, id: ChunkId): boolean {
    return this.#sql.isWithdrawn.get(idBytes(owner), idBytes(id)) !== undefined;
  }

  forgetWithdrawals(beforeMs: number): void {
    this.#sql.forgetWithdrawals.run(beforeMs);
  }

  noteDamage({ id, stripe, reason, foundMs, nextTryMs }: Omit<KnownDamage, 'tries'>): void {
    this.#sql.noteDamage.run(idBytes(id), stripe === undefined ? null : idBytes(stripe), reason, foundMs, nextTryMs);
  }

  removeDamage(id: ChunkId): void {
    this.#sql.removeDamage.run(idBytes(id));
  }

  damage(id: ChunkId): KnownDamage | undefined {
    const row = this.#sql.damage.get(idBytes(id));
    return row === undefined ? undefined : damageOf(row);
  }

  /** Those whose next try has come. */
  dueDamages(nowMs: number, limit: number): readonly KnownDamage[] {
    return this.#sql.dueDamages.all(nowMs, limit).map(damageOf);
  }

  /** In ascending order of id. @param after absent: from the first */
  damagesBehind(after: ChunkId | undefined, limit: number): readonly KnownDamage[] {
    const key = after === undefined ? new Uint8Array() : idBytes(after);
    return this.#sql.damagesBehind.all(key, limit).map(damageOf);
  }

  /** The newest ones. */
  damages(limit: number): readonly KnownDamage[] {
    return this.#sql.damages.all(limit).map(damageOf);
  }

  damageCount(): number {
    return integerOf(this.#sql.damageCount.get() ?? {}, 'amount');
  }

  /**
   * Remembers the files that nothing wants in this look, and forgets those of the look before that something wants.
   *
   * @returns since when each has been so, in Unix time
   */
  async watchStrays(ids: readonly ChunkId[], nowMs: number): Promise<ReadonlyMap<ChunkId, number>> {
    const before = new Map(
      this.#sql.strays.all().map((row) => [parseChunkId(blobOf(row, 'chunk')), integerOf(row, 'since_ms')]),
    );
    // A clock that was turned back begins the watch anew.
    const since = new Map(ids.map((id) => [id, Math.min(before.get(id) ?? nowMs, nowMs)]));
    if (before.size === 0 && since.size === 0) return since;
    await this.#database.write(() => {
      this.#sql.forgetStrays.run();
      for (const [id, sinceMs] of since) this.#sql.addStray.run(idBytes(id), sinceMs);
    });
    return since;
  }

  /** Looks for rows that cannot be found, where the index of chunks is small enough. @returns whether there were any */
  check(): Promise<boolean> {
    return this.#database.check();
  }

  /** Makes all rows findable again. */
  remakeIndexes(): Promise<void> {
    return this.#database.remakeIndexes();
  }

  /** Counts what is stored anew: a row that rots away does not say so, and would be counted twice when it comes back. */
  async recount(): Promise<void> {
    await this.#database.write(() => this.#sql.recount.run());
  }

  /** Unix time when files, rows and records were last compared; 0: never. */
  surveyedMs(): number {
    return integerOf(this.#sql.surveyed.get() ?? {}, 'surveyed_ms');
  }

  noteSurvey(nowMs: number): void {
    this.#sql.noteSurvey.run(nowMs);
  }
}

function damageOf(row: Row): KnownDamage {
  const stripe = row['stripe'];
  return {
    id: parseChunkId(blobOf(row, 'chunk')),
    stripe: stripe instanceof Uint8Array ? parseStripeId(stripe) : undefined,
    reason: textOf(row, 'reason'),
    foundMs: integerOf(row, 'found_ms'),
    tries: integerOf(row, 'tries'),
    nextTryMs: integerOf(row, 'next_try_ms'),
  };
}
