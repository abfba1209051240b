import type { ChunkHeader, ChunkSummary } from '../chunk/chunk-store.js';
import { idBytes, parseChunkId, parseUserId, type ChunkId, type UserId } from '../chunk/ids.js';
import { LIST_PAGE_ROWS } from '../limits.js';
import { ChunkLookup, type IndexedChunk } from './chunk-lookup.js';
import { blobOf, integerOf } from './columns.js';
import { ScrubIndex } from './scrub-index.js';
import { Database, type Row, type Statement } from './sqlite.js';

/** In the folder of the store. */
export const INDEX_FILE = 'index.sqlite';
export const INDEX_SCHEMA = new URL('schema/chunks/', import.meta.url);
export const INDEX_NAME = 'The chunk index';

/** Where a page of a listing begins: after this claim. */
export interface Cursor {
  readonly id: ChunkId;
  readonly owner: UserId;
}

const STATEMENTS = {
  claimed: 'SELECT 1 FROM claims WHERE owner = ? AND chunk = ?',
  // What is there already may be damaged; what comes has been verified.
  addChunk: `INSERT INTO chunks VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes, segment_bytes = excluded.segment_bytes, hashes = excluded.hashes`,
  addContent: 'INSERT INTO contents VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes',
  addClaim: 'INSERT INTO claims VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  addScrub: 'INSERT INTO scrubs VALUES (?, ?) ON CONFLICT DO UPDATE SET read_ms = excluded.read_ms',
  addWithdrawal: 'INSERT INTO withdrawals VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  removeWithdrawal: 'DELETE FROM withdrawals WHERE owner = ? AND chunk = ?',
  removeDamage: 'DELETE FROM damages WHERE chunk = ?',
  removeClaim: 'DELETE FROM claims WHERE owner = ? AND chunk = ?',
  removeUnclaimed: 'DELETE FROM chunks WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM claims WHERE chunk = ?1)',
  hasContent: 'SELECT 1 FROM contents WHERE chunk = ?',
  content: 'SELECT bytes FROM contents WHERE chunk = ?',
  addUnlink: 'INSERT INTO unlinks VALUES (?) ON CONFLICT DO NOTHING',
  removeUnlink: 'DELETE FROM unlinks WHERE id = ?',
  totals: 'SELECT chunks, bytes, (SELECT coalesce(sum(bytes), 0) FROM partials) AS partial_bytes FROM totals',
  pageOfOwner: `SELECT chunk, owner, label, chunks.bytes FROM claims JOIN chunks ON chunks.id = chunk
         WHERE owner = ? AND chunk > ? ORDER BY chunk LIMIT ${String(LIST_PAGE_ROWS)}`,
  page: `SELECT chunk, owner, label, chunks.bytes FROM claims JOIN chunks ON chunks.id = chunk
         WHERE (chunk, owner) > (?, ?) ORDER BY chunk, owner LIMIT ${String(LIST_PAGE_ROWS)}`,
  addPartial:
    'INSERT INTO partials VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET owner = excluded.owner, started_ms = excluded.started_ms',
  removePartial: 'DELETE FROM partials WHERE id = ?',
  partialOwner: 'SELECT owner FROM partials WHERE id = ?',
  partials: 'SELECT id, started_ms FROM partials',
  unlinks: 'SELECT id FROM unlinks',
} as const;

/** Sorts after every owner: a listing that begins after a chunk leaves out all its claims. */
const ALL_OWNERS_PASSED = new Uint8Array(33).fill(0xff);

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** The rows of a store: which chunks it holds and for whom, and what a crash may have left behind. */
export class ChunkIndex {
  readonly #database: Database;
  readonly #lookup: ChunkLookup;
  readonly #sql: Statements;
  /** What scrubbing knows of the chunks. */
  readonly scrubs: ScrubIndex;

  private constructor(database: Database) {
    this.#database = database;
    this.#lookup = new ChunkLookup(database);
    this.scrubs = new ScrubIndex(database);
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** @param options shared: a ChunkReader of another process may read it meanwhile */
  static async open(file: string, options: { readonly shared: boolean } = { shared: false }): Promise<ChunkIndex> {
    const database = await Database.open({ file, schema: INDEX_SCHEMA, name: INDEX_NAME, ...options });
    return new ChunkIndex(database);
  }

  /** @throws StorageError CORRUPT when the row does not match its id */
  find(id: ChunkId): IndexedChunk | undefined {
    return this.#lookup.find(id);
  }

  has(id: ChunkId): boolean {
    return this.#lookup.has(id);
  }

  isClaimed(owner: UserId, id: ChunkId): boolean {
    return this.#sql.claimed.get(idBytes(owner), idBytes(id)) !== undefined;
  }

  /** The bytes of a small chunk, be they damaged. */
  contentOf(id: ChunkId): Uint8Array | undefined {
    const row = this.#sql.content.get(idBytes(id));
    return row === undefined ? undefined : blobOf(row, 'bytes');
  }

  isPartial(id: ChunkId): boolean {
    return this.#sql.partialOwner.get(idBytes(id)) !== undefined;
  }

  /**
   * Makes a chunk visible; it is partial no more.
   *
   * @param nowMs every byte of it has just been compared with its hashes
   * @param content the bytes of a small chunk; absent: they lie in its file
   */
  add(header: ChunkHeader, nowMs: number, content?: Uint8Array): Promise<void> {
    const id = idBytes(header.id);
    return this.#database.write(() => {
      this.#sql.addChunk.run(id, header.bytes, header.segmentBytes, header.hashes);
      if (content !== undefined) this.#sql.addContent.run(id, content);
      this.#claim(header);
      this.#sql.removePartial.run(id);
      this.#sql.addScrub.run(id, nowMs);
      this.#sql.removeDamage.run(id);
    });
  }

  /** The first label that an owner gave stays. */
  claim(header: ChunkHeader): Promise<void> {
    return this.#database.write(() => {
      this.#claim(header);
    });
  }

  #claim(header: ChunkHeader): void {
    const [owner, id] = [idBytes(header.owner), idBytes(header.id)];
    this.#sql.addClaim.run(owner, id, header.label);
    this.#sql.removeWithdrawal.run(owner, id);
  }

  /**
   * @param given the owner gave the chunk up, which is remembered; else it lies elsewhere by now, and may come back
   * @returns whether files of this chunk are to be removed: with its last claim, or of a partial chunk of this owner's
   */
  withdraw(owner: UserId, id: ChunkId, given: { readonly upMs: number } | 'moved'): Promise<boolean> {
    const [key, user] = [idBytes(id), idBytes(owner)];
    return this.#database.write(() => {
      const partial = this.#sql.partialOwner.get(key);
      const abandoned = partial !== undefined && Buffer.compare(blobOf(partial, 'owner'), user) === 0;
      const small = this.#sql.hasContent.get(key) !== undefined;
      const wasClaimed = this.#sql.removeClaim.run(user, key) > 0;
      const isUnclaimed = wasClaimed && this.#sql.removeUnclaimed.run(key) > 0;
      // Also of a chunk that is missed here, and that its owner does not want any more.
      const wasMissed = !this.has(id) && this.#sql.removeDamage.run(key) > 0;
      if (given !== 'moved' && (wasClaimed || wasMissed)) this.#sql.addWithdrawal.run(user, key, given.upMs);
      const freed = isUnclaimed && !small;
      if (abandoned) this.#sql.removePartial.run(key);
      if (freed || abandoned) this.#sql.addUnlink.run(key);
      return freed || abandoned;
    });
  }

  async unlinked(id: ChunkId): Promise<void> {
    await this.#database.write(() => this.#sql.removeUnlink.run(idBytes(id)));
  }

  async beginPartial(header: ChunkHeader, startedMs: number): Promise<void> {
    await this.#database.write(() =>
      this.#sql.addPartial.run(idBytes(header.id), header.bytes, idBytes(header.owner), startedMs),
    );
  }

  async removePartial(id: ChunkId): Promise<void> {
    await this.#database.write(() => this.#sql.removePartial.run(idBytes(id)));
  }

  partials(): readonly { readonly id: ChunkId; readonly startedMs: number }[] {
    return this.#sql.partials
      .all()
      .map((row) => ({ id: parseChunkId(blobOf(row, 'id')), startedMs: integerOf(row, 'started_ms') }));
  }

  unlinks(): readonly ChunkId[] {
    return this.#sql.unlinks.all().map((row) => parseChunkId(blobOf(row, 'id')));
  }

  totals(): { readonly chunks: number; readonly bytes: number; readonly partialBytes: number } {
    const row = this.#sql.totals.get() ?? {};
    return {
      chunks: integerOf(row, 'chunks'),
      bytes: integerOf(row, 'bytes'),
      partialBytes: integerOf(row, 'partial_bytes'),
    };
  }

  /** The next claims in order of chunk id, then owner; none when the list has ended. */
  page(owner: UserId | undefined, after: Partial<Cursor>): readonly ChunkSummary[] {
    const id = after.id === undefined ? new Uint8Array() : idBytes(after.id);
    if (owner !== undefined) return this.#sql.pageOfOwner.all(idBytes(owner), id).map(summaryOf);
    const claimant = after.owner === undefined ? ALL_OWNERS_PASSED : idBytes(after.owner);
    return this.#sql.page.all(id, claimant).map(summaryOf);
  }

  /** Resolves when all that a read could see at the time of the call would survive a power cut. */
  settled(): Promise<void> {
    return this.#database.settled();
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function summaryOf(row: Row): ChunkSummary {
  return {
    id: parseChunkId(blobOf(row, 'chunk')),
    bytes: integerOf(row, 'bytes'),
    owner: parseUserId(blobOf(row, 'owner')),
    label: blobOf(row, 'label'),
  };
}
