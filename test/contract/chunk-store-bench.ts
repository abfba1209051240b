import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  segmentsOf,
  type ChunkHeader,
  type ChunkStore,
  type ChunkSummary,
  type ListOptions,
  type PutOptions,
  type SegmentSource,
} from '../../src/chunk/chunk-store.js';
import type { ChunkId, UserId } from '../../src/chunk/ids.js';
import { describeChunk, type ChunkShape, type Segment } from '../../src/chunk/segments.js';
import { StorageError, type ErrorCode } from '../../src/errors.js';
import { SEGMENT_BYTES } from '../../src/limits.js';

/** A store and what it needs to be used. */
export interface ContractSubject {
  readonly store: ChunkStore;
  /** Two different users. */
  readonly owners: readonly [UserId, UserId];
  /** What a put needs besides the chunk. Absent: opaque bytes as label and no grant, which do for a local store. */
  authorize?(
    owner: UserId,
    chunk: ChunkShape & { readonly id: ChunkId },
  ): Promise<{ readonly label: Uint8Array; readonly grant: Uint8Array }>;
  /** The owner's order to delete. Absent: none, which does for a local store. */
  orderDelete?(owner: UserId, ids: readonly ChunkId[]): Promise<Uint8Array>;
  /** The owner's order to list. Absent: none, which does for a local store. */
  orderList?(owner: UserId): Promise<Uint8Array>;
  /** Closes the store and opens it anew over the same chunks. Absent: the store does not outlive its process. */
  reopen?(): Promise<ChunkStore>;
  /** Frees everything, the store included. */
  close(): Promise<void>;
}

export interface Offer {
  readonly content: Uint8Array;
  readonly header: ChunkHeader;
  readonly options: PutOptions;
}

/** A source that notes what it was asked for, and that may be made to misbehave. */
export class WatchedSource {
  readonly asked: (readonly number[])[] = [];
  readonly #content: Uint8Array;
  readonly #behave: (segment: Segment, round: number) => Segment | Promise<Segment>;

  constructor(content: Uint8Array, behave: (segment: Segment, round: number) => Segment | Promise<Segment> = (s) => s) {
    this.#content = content;
    this.#behave = behave;
  }

  readonly source: SegmentSource = (missing) => this.#yield(missing);

  async *#yield(missing: readonly number[]): AsyncGenerator<Segment> {
    const round = this.asked.push([...missing]) - 1;
    for await (const segment of segmentsOf(this.#content, SEGMENT_BYTES)(missing)) yield this.#behave(segment, round);
  }
}

export function flipped(segment: Segment): Segment {
  const bytes = Uint8Array.from(segment.bytes);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return { index: segment.index, bytes };
}

export async function collect(segments: AsyncIterable<Segment>): Promise<Segment[]> {
  const out: Segment[] = [];
  for await (const segment of segments) out.push({ index: segment.index, bytes: Uint8Array.from(segment.bytes) });
  return out;
}

export function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StorageError, `a StorageError, not ${String(error)}`);
    assert.equal(error.code, expected, error.message);
    return true;
  };
}

/** One subject for each test, and the words in which the tests are written. */
export class Bench {
  readonly #open: () => Promise<ContractSubject>;
  #subject: ContractSubject | undefined;
  #store: ChunkStore | undefined;
  readonly signal = new AbortController().signal;

  constructor(open: () => Promise<ContractSubject>) {
    this.#open = open;
  }

  async setUp(): Promise<void> {
    this.#subject = await this.#open();
    this.#store = this.#subject.store;
  }

  async tearDown(): Promise<void> {
    await this.#subject?.close();
  }

  get subject(): ContractSubject {
    assert.ok(this.#subject);
    return this.#subject;
  }

  get store(): ChunkStore {
    assert.ok(this.#store);
    return this.#store;
  }

  get owner(): UserId {
    return this.subject.owners[0];
  }

  /** Everything after it sees what a restart leaves; without effect on a store that does not outlive its process. */
  async reopen(): Promise<void> {
    if (this.subject.reopen !== undefined) this.#store = await this.subject.reopen();
  }

  async offer(content: Uint8Array, owner = this.owner): Promise<Offer> {
    const shape = describeChunk(content);
    const { label, grant } = (await this.subject.authorize?.(owner, shape)) ?? { label: randomBytes(300) };
    return {
      content,
      header: { ...shape, owner, label },
      options: grant === undefined ? { signal: this.signal } : { signal: this.signal, grant },
    };
  }

  async stored(bytes: number, owner = this.owner): Promise<Offer> {
    const offer = await this.offer(randomBytes(bytes), owner);
    await this.store.put(offer.header, segmentsOf(offer.content, SEGMENT_BYTES), offer.options);
    return offer;
  }

  async read(id: ChunkId, segments?: readonly number[]): Promise<Segment[]> {
    const options = segments === undefined ? { signal: this.signal } : { signal: this.signal, segments };
    return await collect((await this.store.get(id, options)).segments);
  }

  async content(id: ChunkId): Promise<Uint8Array> {
    return Buffer.concat((await this.read(id)).map((segment) => segment.bytes));
  }

  async has(id: ChunkId): Promise<boolean> {
    return (await this.store.has([id], { signal: this.signal })).has(id);
  }

  async remove(owner: UserId, ids: readonly ChunkId[]): Promise<void> {
    const authorization = await this.subject.orderDelete?.(owner, ids);
    const options = authorization === undefined ? { signal: this.signal } : { signal: this.signal, authorization };
    await this.store.delete(owner, ids, options);
  }

  async list(owner: UserId, after?: ChunkId): Promise<ChunkSummary[]> {
    const out: ChunkSummary[] = [];
    for await (const summary of this.store.list(await this.listOptions(owner, after))) out.push(summary);
    return out;
  }

  async listOptions(owner: UserId, after?: ChunkId): Promise<ListOptions> {
    const authorization = await this.subject.orderList?.(owner);
    const options = { signal: this.signal, owner, ...(after !== undefined && { after }) };
    return authorization === undefined ? options : { ...options, authorization };
  }

  async assertInvisible(offer: Offer): Promise<void> {
    const { id } = offer.header;
    assert.equal(await this.has(id), false);
    await assert.rejects(this.read(id), code('NOT_FOUND'));
    assert.deepEqual(
      (await this.list(this.owner)).filter((summary) => summary.id === id),
      [],
    );
  }
}
