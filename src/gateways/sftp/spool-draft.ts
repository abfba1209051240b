import { SPOOL_BLOCK_BYTES, SPOOL_CACHED_BLOCKS } from '../../limits.js';
import type { ByteRange } from './content.js';
import type { Draft } from './draft.js';
import { Spool, type SpoolOptions } from './spool.js';

/** What a file was before it was written to. */
export interface DraftBase {
  readonly bytes: number;
  read(range: ByteRange): AsyncIterable<Uint8Array>;
}

interface CachedBlock {
  readonly bytes: Buffer;
  isChanged: boolean;
}

/**
 * A stored file with some of its blocks written anew: those lie in a spool, the others stay where they are until all is put.
 * A large file can be edited in the middle without fetching it.
 */
export class SpoolDraft implements Draft {
  readonly #spool: Spool;
  readonly #base: DraftBase;
  /** Of the base, this much still counts: what was cut off does not come back. */
  #baseBytes: number;
  #bytes: number;
  readonly #written = new Set<number>();
  /** Used longest ago first. */
  readonly #cache = new Map<number, CachedBlock>();

  private constructor(spool: Spool, base: DraftBase) {
    this.#spool = spool;
    this.#base = base;
    this.#baseBytes = base.bytes;
    this.#bytes = base.bytes;
  }

  static async open(options: SpoolOptions, base: DraftBase): Promise<SpoolDraft> {
    return new SpoolDraft(await Spool.open(options), base);
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    for (let done = 0; done < data.length;) {
      const at = offset + done;
      const index = Math.floor(at / SPOOL_BLOCK_BYTES);
      const start = at % SPOOL_BLOCK_BYTES;
      const part = data.subarray(done, done + SPOOL_BLOCK_BYTES - start);
      const block = await this.#cached(index, part.length === SPOOL_BLOCK_BYTES);
      block.bytes.set(part, start);
      block.isChanged = true;
      done += part.length;
      this.#bytes = Math.max(this.#bytes, at + part.length);
    }
  }

  async truncate(bytes: number): Promise<void> {
    if (bytes < this.#bytes) {
      const last = Math.floor(bytes / SPOOL_BLOCK_BYTES);
      const rest = bytes % SPOOL_BLOCK_BYTES;
      for (const index of [...this.#written, ...this.#cache.keys()]) {
        if (index < last || (index === last && rest > 0)) continue;
        this.#written.delete(index);
        this.#cache.delete(index);
      }
      // What grows there again is zeros.
      if (rest > 0 && (this.#written.has(last) || this.#cache.has(last))) {
        const block = await this.#cached(last, false);
        block.bytes.fill(0, rest);
        block.isChanged = true;
      }
      this.#baseBytes = Math.min(this.#baseBytes, bytes);
    }
    this.#bytes = bytes;
  }

  async read(offset: number, bytes: number): Promise<readonly Uint8Array[]> {
    const parts: Uint8Array[] = [];
    const range = { from: Math.min(offset, this.#bytes), to: Math.min(offset + bytes, this.#bytes) };
    for await (const part of this.#parts(range)) parts.push(Buffer.from(part));
    return parts;
  }

  source(): AsyncIterable<Uint8Array> {
    return this.#parts({ from: 0, to: this.#bytes });
  }

  async close(): Promise<void> {
    this.#cache.clear();
    await this.#spool.close();
  }

  /** Blocks that were written, and whole runs of those that were not. */
  async *#parts({ from, to }: ByteRange): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to;) {
      const index = Math.floor(at / SPOOL_BLOCK_BYTES);
      const blockEnd = Math.min((index + 1) * SPOOL_BLOCK_BYTES, to);
      if (this.#isOwn(index)) {
        const start = index * SPOOL_BLOCK_BYTES;
        const block = this.#cache.get(index)?.bytes ?? (await this.#spool.read(index));
        yield block.subarray(at - start, blockEnd - start);
        at = blockEnd;
        continue;
      }
      let end = blockEnd;
      while (end < to && !this.#isOwn(end / SPOOL_BLOCK_BYTES)) end = Math.min(end + SPOOL_BLOCK_BYTES, to);
      yield* this.#unwritten({ from: at, to: end });
      at = end;
    }
  }

  async *#unwritten({ from, to }: ByteRange): AsyncGenerator<Uint8Array> {
    const baseEnd = Math.min(to, this.#baseBytes);
    if (from < baseEnd) yield* this.#base.read({ from, to: baseEnd });
    for (let at = Math.max(from, baseEnd); at < to;) {
      const zeros = Buffer.alloc(Math.min(to - at, SPOOL_BLOCK_BYTES));
      yield zeros;
      at += zeros.length;
    }
  }

  #isOwn(index: number): boolean {
    return this.#cache.has(index) || this.#written.has(index);
  }

  /** @param isReplaced what was in the block does not matter */
  async #cached(index: number, isReplaced: boolean): Promise<CachedBlock> {
    const known = this.#cache.get(index);
    const block = known ?? { bytes: await this.#load(index, isReplaced), isChanged: false };
    this.#cache.delete(index);
    await this.#makeRoom();
    this.#cache.set(index, block);
    return block;
  }

  async #makeRoom(): Promise<void> {
    if (this.#cache.size < SPOOL_CACHED_BLOCKS) return;
    const [oldest] = this.#cache;
    if (oldest === undefined) return;
    const [index, block] = oldest;
    if (block.isChanged) {
      await this.#spool.write(index, block.bytes);
      this.#written.add(index);
    }
    this.#cache.delete(index);
  }

  async #load(index: number, isReplaced: boolean): Promise<Buffer> {
    if (isReplaced) return Buffer.alloc(SPOOL_BLOCK_BYTES);
    if (this.#written.has(index)) return this.#spool.read(index);
    const block = Buffer.alloc(SPOOL_BLOCK_BYTES);
    let at = 0;
    const from = index * SPOOL_BLOCK_BYTES;
    for await (const part of this.#unwritten({ from, to: from + SPOOL_BLOCK_BYTES })) {
      block.set(part, at);
      at += part.length;
    }
    return block;
  }
}
