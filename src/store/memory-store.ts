import {
  segmentsOf,
  type ChunkHeader,
  type ChunkStore,
  type ChunkSummary,
  type GetOptions,
  type ListOptions,
  type PutOptions,
  type SegmentSource,
  type Stored,
  type StoredChunk,
} from '../chunk/chunk-store.js';
import type { ChunkId, UserId } from '../chunk/ids.js';
import type { ChunkShape } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { MAX_CONCURRENT_PUTS } from '../limits.js';
import { abortable } from './abortable.js';
import { askedSegments } from './asked-segments.js';
import { Assembly } from './assembly.js';
import { checkIdCount, compareIds, noSpace, unknownChunk } from './chunk-checks.js';
import { KeyedGate } from './gate.js';
import { receiveSegments, verifyHeader } from './receive.js';
import type { StoreUsage } from './usage.js';

interface Chunk {
  readonly shape: ChunkShape;
  readonly content: Uint8Array;
  readonly labels: Map<UserId, Uint8Array>;
}

/** Chunks in memory, for tests and for networks that live in one process. */
export class MemoryStore implements ChunkStore {
  readonly #capacityBytes: number;
  readonly #chunks = new Map<ChunkId, Chunk>();
  readonly #partials = new Map<ChunkId, Assembly>();
  readonly #busy = new KeyedGate<ChunkId>();
  #bytes = 0;
  #closed = false;

  private constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  static async open(options: { readonly capacityBytes?: number } = {}): Promise<MemoryStore> {
    return new MemoryStore(options.capacityBytes ?? Infinity);
  }

  async put(header: ChunkHeader, source: SegmentSource, { signal }: PutOptions): Promise<Stored> {
    this.#assertOpen();
    verifyHeader(header);
    const leave = await this.#busy.enter(header.id, signal);
    try {
      const known = this.#chunks.get(header.id);
      if (known !== undefined) {
        claim(known, header);
        return { existed: true, resent: 0 };
      }
      return { existed: false, resent: await this.#receive(header, source, signal) };
    } finally {
      leave();
    }
  }

  async #receive(header: ChunkHeader, source: SegmentSource, signal: AbortSignal): Promise<number> {
    if (this.#bytes + header.bytes > this.#capacityBytes) throw noSpace(header, this.#capacityBytes - this.#bytes);
    const assembly = this.#partials.get(header.id) ?? new Assembly(header);
    this.#keep(header.id, assembly);
    const accept = (segment: { readonly index: number; readonly bytes: Uint8Array }): undefined => {
      assembly.add(segment);
    };
    try {
      const resent = await receiveSegments(header, assembly.missing, source, { signal, accept });
      this.#assertOpen();
      this.#partials.delete(header.id);
      const { bytes, segmentBytes, hashes } = header;
      const chunk = { shape: { bytes, segmentBytes, hashes }, content: assembly.content, labels: new Map() };
      claim(chunk, header);
      this.#chunks.set(header.id, chunk);
      this.#bytes += bytes;
      return resent;
    } finally {
      if (assembly.empty) this.#partials.delete(header.id);
    }
  }

  #keep(id: ChunkId, assembly: Assembly): void {
    this.#partials.set(id, assembly);
    const [oldest] = this.#partials.keys();
    if (this.#partials.size > MAX_CONCURRENT_PUTS && oldest !== undefined) this.#partials.delete(oldest);
  }

  async get(id: ChunkId, { signal, segments }: GetOptions): Promise<StoredChunk> {
    this.#assertReady(signal);
    const chunk = this.#chunks.get(id);
    if (chunk === undefined) throw unknownChunk(id);
    const { shape, content, labels } = chunk;
    const [label] = labels.values();
    const source = segmentsOf(content, shape.segmentBytes)(askedSegments(shape, segments));
    return { shape, label: label ?? new Uint8Array(), segments: abortable(source, signal) };
  }

  async has(ids: readonly ChunkId[], { signal }: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>> {
    this.#assertReady(signal);
    checkIdCount(ids);
    return new Set(ids.filter((id) => this.#chunks.has(id)));
  }

  async delete(owner: UserId, ids: readonly ChunkId[], { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#assertOpen();
    checkIdCount(ids);
    for (const id of ids) {
      const leave = await this.#busy.enter(id, signal);
      this.#withdraw(owner, id);
      leave();
    }
  }

  #withdraw(owner: UserId, id: ChunkId): void {
    const chunk = this.#chunks.get(id);
    if (chunk?.labels.delete(owner) !== true || chunk.labels.size > 0) return;
    this.#chunks.delete(id);
    this.#bytes -= chunk.shape.bytes;
  }

  async *list(options: ListOptions): AsyncIterable<ChunkSummary> {
    this.#assertReady(options.signal);
    const summaries = [...this.#chunks].flatMap(([id, chunk]) =>
      [...chunk.labels].map(([owner, label]) => ({ id, bytes: chunk.shape.bytes, owner, label })),
    );
    summaries.sort((a, b) => compareIds(a.id, b.id) || compareIds(a.owner, b.owner));
    for (const summary of summaries) {
      options.signal.throwIfAborted();
      if (options.after !== undefined && compareIds(summary.id, options.after) <= 0) continue;
      if (options.owner === undefined || options.owner === summary.owner) yield summary;
    }
  }

  async usage(): Promise<StoreUsage> {
    let partialBytes = 0;
    for (const partial of this.#partials.values()) partialBytes += partial.content.length;
    const freeBytes = this.#capacityBytes - this.#bytes;
    return { chunks: this.#chunks.size, bytes: this.#bytes, partialBytes, freeBytes, reserveBytes: 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertReady(signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('UNAVAILABLE', 'The chunk store is closed.');
  }
}

/** The first label that an owner gave stays. */
function claim(chunk: Chunk, header: ChunkHeader): void {
  if (!chunk.labels.has(header.owner)) chunk.labels.set(header.owner, header.label);
}
