import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ChunkHeader,
  ChunkStore,
  ChunkSummary,
  GetOptions,
  ListOptions,
  PutOptions,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../chunk/chunk-store.js';
import { OPENED_BYTES, type Holdings, type HoldingsOptions, type HoldingsSource } from '../chunk/holdings.js';
import type { ChunkId, UserId } from '../chunk/ids.js';
import type { Segment } from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import { DEFAULT_RESERVE_BYTES, MAX_CONCURRENT_PUTS, PARTIAL_EXPIRY_MS, PARTIAL_SWEEP_MS } from '../limits.js';
import { silentLogger, type Logger } from '../log.js';
import { Activities } from './activities.js';
import { Ballast } from './ballast.js';
import { checkIdCount } from './chunk-checks.js';
import { ChunkFiles } from './chunk-files.js';
import { ChunkIndex, INDEX_FILE, type Cursor } from './chunk-index.js';
import { ChunkIntake } from './chunk-intake.js';
import { Gate, KeyedGate } from './gate.js';
import { Mending } from './mending.js';
import { verifyHeader } from './receive.js';
import { recover, removeFiles } from './recovery.js';
import { Space } from './space.js';
import { getStored } from './stored-chunk.js';
import type { StoreUsage } from './usage.js';

export interface DiskStoreOptions {
  /** Belongs to this store alone; created when it is missing. */
  readonly directory: string;
  readonly reserveBytes?: number;
  /** The most that the store may hold; absent: as much as the disk has above the reserve. */
  readonly capacityBytes?: number;
  /** A ChunkReader of another process may read it meanwhile. Who writes it must be settled otherwise: see ProcessLock. */
  readonly shared?: boolean;
  /** Free bytes of the disk; absent: what the file system says. */
  readonly freeBytes?: () => Promise<number>;
  readonly clock?: () => number;
  readonly logger?: Logger;
}

interface Parts {
  readonly ballast: Ballast;
  readonly index: ChunkIndex;
  readonly files: ChunkFiles;
  readonly space: Space;
  readonly clock: () => number;
  readonly logger: Logger;
}

type Given = Parameters<ChunkIndex['withdraw']>[2];

interface Freeing {
  readonly given: Given;
  readonly signal: AbortSignal;
}

/** Chunks on the local disk: an SQLite index, small chunks in it, large ones as files beside it (docs/spec/3-chunk.md). */
export class DiskStore implements ChunkStore, HoldingsSource {
  readonly #parts: Parts;
  readonly #intake: ChunkIntake;
  readonly #activities = new Activities();
  readonly #busy = new KeyedGate<ChunkId>();
  readonly #puts = new Gate(MAX_CONCURRENT_PUTS);
  /** For scrubbing. */
  readonly mending: Mending;
  readonly #opened = randomBytes(OPENED_BYTES).toString('hex');
  #sweptMs: number;
  #usedMs = Number.NEGATIVE_INFINITY;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#intake = new ChunkIntake(parts);
    this.mending = new Mending({ ...parts, busy: this.#busy, activities: this.#activities });
    this.#sweptMs = parts.clock();
  }

  /**
   * @throws StorageError CONFLICT when another process has this store open, CORRUPT when its index is damaged, UNSUPPORTED
   * when a newer version of Shoal wrote it
   */
  static async open(options: DiskStoreOptions): Promise<DiskStore> {
    const { directory, shared = false, clock = Date.now, logger = silentLogger() } = options;
    let index: ChunkIndex | undefined;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      index = await ChunkIndex.open(join(directory, INDEX_FILE), { shared });
      const files = await ChunkFiles.open(directory);
      await recover(index, files, clock());
      const { reserveBytes = DEFAULT_RESERVE_BYTES, capacityBytes = Infinity } = options;
      const freeBytes = options.freeBytes ?? (() => files.freeBytes());
      const space = new Space({ reserveBytes, capacityBytes, freeBytes }, index);
      const ballast = new Ballast(join(directory, 'ballast'));
      await ballast.load();
      return new DiskStore({ ballast, index, files, space, clock, logger });
    } catch (error) {
      await index?.close();
      throw wrapError(error, `Opening the chunk store in ${directory}`);
    }
  }

  put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored> {
    return this.#activities.run(`Storing chunk ${header.id.slice(0, 12)}…`, options.signal, async (signal) => {
      verifyHeader(header);
      if (options.background !== true) this.#usedMs = performance.now();
      this.#sweepWhenDue();
      const leave = await this.#busy.enter(header.id, signal);
      try {
        if (await this.#isWhole(header)) {
          if (!this.#parts.index.isClaimed(header.owner, header.id)) await this.#parts.index.claim(header);
          return { existed: true, resent: 0 };
        }
        return { existed: false, resent: await this.#take(header, source, signal) };
      } finally {
        leave();
      }
    });
  }

  /** Stored, and not lost since: a chunk whose row is damaged, or whose file is gone or cut off, is taken in again. */
  async #isWhole(header: ChunkHeader): Promise<boolean> {
    const { index, files } = this.#parts;
    try {
      const found = index.find(header.id);
      if (found === undefined) return false;
      if (found.content !== undefined) return found.content.length === header.bytes;
      return (await files.chunkBytes(header.id)) === header.bytes;
    } catch (error) {
      // Its row is damaged.
      if (StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) return false;
      throw error;
    }
  }

  async #take(header: ChunkHeader, source: SegmentSource, signal: AbortSignal): Promise<number> {
    const leave = await this.#puts.enter(signal);
    try {
      return await this.#intake.take(header, source, signal);
    } finally {
      leave();
    }
  }

  async get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    this.#assertReady(options.signal);
    this.#usedMs = performance.now();
    try {
      const stored = getStored(this.#parts, id, options);
      return { ...stored, segments: this.#watched(id, stored.segments) };
    } catch (error) {
      this.#noticeFault(id, error);
      throw error;
    }
  }

  /** Milliseconds since a chunk was last asked for or offered; what is left over is for those who are in no hurry. */
  quietMs(): number {
    return this.#puts.idle ? performance.now() - this.#usedMs : 0;
  }

  async *#watched(id: ChunkId, segments: AsyncIterable<Segment>): AsyncGenerator<Segment> {
    try {
      yield* segments;
    } catch (error) {
      this.#noticeFault(id, error);
      throw error;
    }
  }

  /** What a reader finds damaged is scrubbed first. */
  #noticeFault(id: ChunkId, error: unknown): void {
    if (StorageError.is(error, 'CORRUPT')) this.mending.scrubs.noteFault(id);
  }

  async has(ids: readonly ChunkId[], { signal }: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>> {
    this.#assertReady(signal);
    checkIdCount(ids);
    const found = new Set(ids.filter((id) => this.#parts.index.has(id)));
    // Others act on this answer, so it has to be as durable as a put's.
    await this.#parts.index.settled();
    return found;
  }

  async holdings(ids: readonly ChunkId[], { owner, signal }: HoldingsOptions): Promise<Holdings> {
    const held = await this.has(ids, { signal });
    const { scrubs } = this.mending;
    return {
      held,
      damaged: scrubs.damageCount() === 0 ? new Set() : new Set([...held].filter((id) => scrubs.damage(id))),
      withdrawn: new Set(owner === undefined ? [] : ids.filter((id) => !held.has(id) && scrubs.isWithdrawn(owner, id))),
      opened: this.#opened,
    };
  }

  async delete(
    owner: UserId,
    ids: readonly ChunkId[],
    options: { readonly signal: AbortSignal; readonly authorization?: Uint8Array },
  ): Promise<void> {
    checkIdCount(ids);
    await this.#free(owner, ids, { given: { upMs: this.#parts.clock() }, signal: options.signal });
  }

  /** As delete, of chunks that lie elsewhere by now: their owner has not given them up, and they may come back. */
  async drop(owner: UserId, ids: readonly ChunkId[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    checkIdCount(ids);
    await this.#free(owner, ids, { given: 'moved', signal });
  }

  async #free(owner: UserId, ids: readonly ChunkId[], { given, signal }: Freeing): Promise<void> {
    await this.#activities.run('Deleting chunks', signal, async (running) => {
      await Promise.all(ids.map((id) => this.#freeOne(owner, id, { given, signal: running })));
      await this.#parts.ballast.load();
    });
  }

  async #freeOne(owner: UserId, id: ChunkId, { given, signal }: Freeing): Promise<void> {
    const leave = await this.#busy.enter(id, signal);
    try {
      const { index, files } = this.#parts;
      if (await this.#withdraw(owner, id, given)) await removeFiles(index, files, id);
    } finally {
      leave();
    }
  }

  async #withdraw(owner: UserId, id: ChunkId, given: Given): Promise<boolean> {
    const { index, ballast } = this.#parts;
    try {
      return await index.withdraw(owner, id, given);
    } catch (error) {
      if (!StorageError.is(error, 'NO_SPACE')) throw error;
      await ballast.drop();
      return await index.withdraw(owner, id, given);
    }
  }

  async *list(options: ListOptions): AsyncIterable<ChunkSummary> {
    for (let after: Partial<Cursor> = options.after === undefined ? {} : { id: options.after }; ;) {
      this.#assertReady(options.signal);
      const page = this.#parts.index.page(options.owner, after);
      for (const summary of page) {
        yield summary;
        options.signal.throwIfAborted();
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  async usage(): Promise<StoreUsage> {
    this.#activities.assertGoingOn();
    return await this.#parts.space.usage();
  }

  /** Ends what is under way: puts reject with UNAVAILABLE and keep their intact segments. */
  async close(): Promise<void> {
    await this.#activities.end(new StorageError('UNAVAILABLE', 'The chunk store is closed.'));
    await this.#parts.index.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertReady(signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#activities.assertGoingOn();
  }

  #sweepWhenDue(): void {
    const nowMs = this.#parts.clock();
    if (nowMs < this.#sweptMs + PARTIAL_SWEEP_MS) return;
    this.#sweptMs = nowMs;
    this.#activities
      .run('Removing expired partial chunks', new AbortController().signal, (signal) => this.#sweep(nowMs, signal))
      .catch((error: unknown) => {
        // Nobody waits for it; the next sweep tries again.
        this.#parts.logger.warn({ err: error }, 'expired partial chunks could not be removed');
      });
  }

  async #sweep(nowMs: number, signal: AbortSignal): Promise<void> {
    const { index, files } = this.#parts;
    const isExpired = (id: ChunkId): boolean =>
      index.partials().some((partial) => partial.id === id && partial.startedMs + PARTIAL_EXPIRY_MS <= nowMs);
    for (const { id } of index.partials()) {
      if (!isExpired(id)) continue;
      const leave = await this.#busy.enter(id, signal);
      try {
        if (!isExpired(id)) continue;
        await files.removePartial(id);
        await index.removePartial(id);
      } finally {
        leave();
      }
    }
  }
}
