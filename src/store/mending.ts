import type { ChunkHeader } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import {
  describeChunk,
  segmentIsIntact,
  segmentRange,
  verifyShape,
  type ChunkShape,
  type Segment,
} from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import { MAX_CHUNK_BYTES, SMALL_CHUNK_BYTES } from '../limits.js';
import type { Activities } from './activities.js';
import { allSegments } from './asked-segments.js';
import { Assembly } from './assembly.js';
import { unknownChunk } from './chunk-checks.js';
import type { ChunkFiles } from './chunk-files.js';
import type { ChunkIndex } from './chunk-index.js';
import type { IndexedChunk } from './chunk-lookup.js';
import type { KeyedGate } from './gate.js';
import type { Claim, ScrubIndex } from './scrub-index.js';
import { isUnreadable, readSegments, unsoundSegments } from './segment-reader.js';

/** What is wrong with the bytes of a chunk, or with what its row says of them. */
export type Fault =
  /** Segments do not match their hashes, or the disk cannot read them. */
  | 'rotten'
  /** Its file, or its row of bytes, ends too early. */
  | 'cut-off'
  /** Its file, or its row of bytes, is not there. */
  | 'missing'
  /** Its file, or its row of bytes, goes on behind its end. */
  | 'too-long'
  /** The row's hash list does not match the id. What of the bytes is right is not known. */
  | 'hashes';

/** What a scrub found when it read a chunk. */
export interface Inspection {
  readonly id: ChunkId;
  /** That were read. */
  readonly readBytes: number;
  /** Verified; undefined for the fault `hashes`. */
  readonly shape: ChunkShape | undefined;
  /** What lies beside it, not verified; none where the claims are lost. */
  readonly claims: readonly Claim[];
  readonly fault: Fault | undefined;
  /** To be made anew, ascending. */
  readonly wrong: readonly number[];
}

export interface MendingParts {
  readonly index: ChunkIndex;
  readonly files: ChunkFiles;
  readonly clock: () => number;
  /** Of the store: whoever does something to a chunk is alone with it. */
  readonly busy: KeyedGate<ChunkId>;
  readonly activities: Activities;
}

interface Options {
  readonly signal: AbortSignal;
}

/** What a store lets a scrub do: look at what lies on the disk, and put it right. It never makes anything worse. */
export class Mending {
  /** Which chunks are due, and what is known to be damaged. */
  readonly scrubs: ScrubIndex;
  readonly #parts: MendingParts;

  constructor(parts: MendingParts) {
    this.#parts = parts;
    this.scrubs = parts.index.scrubs;
  }

  /** Reads a chunk whole, past the system's cache. @returns undefined when it is not here (any more) */
  inspect(id: ChunkId, { signal }: Options): Promise<Inspection | undefined> {
    return this.#alone(id, `Reading chunk ${short(id)}`, signal, async () => {
      const claims = this.scrubs.claims(id);
      const found = this.#find(id);
      if (found === undefined) return undefined;
      if (found === 'hashes') return { id, readBytes: 0, shape: undefined, claims, fault: found, wrong: [] };
      return { id, shape: found.shape, claims, ...(await this.#look(id, found)) };
    });
  }

  /**
   * Writes segments of a chunk back to where they belong, each checked against the row's hash list first. Resolves when they
   * would survive a power cut and were read back from the disk. A crash in the middle leaves some of them rotten still.
   *
   * @throws StorageError NOT_FOUND when the chunk, or its file, is gone (a put takes it in again), CORRUPT for a segment that
   *   is not the chunk's, or when the disk does not keep what it was given
   */
  mend(id: ChunkId, segments: readonly Segment[], { signal }: Options): Promise<void> {
    return this.#alone(id, `Mending chunk ${short(id)}`, signal, async () => {
      const found = this.#parts.index.find(id);
      if (found === undefined) throw unknownChunk(id);
      for (const segment of segments) {
        if (segmentIsIntact(found.shape, segment)) continue;
        throw new StorageError('CORRUPT', `Segment ${String(segment.index)} is not that of chunk ${short(id)}.`);
      }
      if (isSmall(found.shape)) await this.#refill(id, found, segments);
      else await this.#rewrite(id, found.shape, segments);
    });
  }

  /** Takes what the id commits to in the place of what the row says. @throws StorageError CORRUPT for another chunk's shape */
  async reshape(id: ChunkId, shape: ChunkShape, { signal }: Options): Promise<void> {
    verifyShape(id, shape);
    await this.#alone(id, `Mending chunk ${short(id)}`, signal, () => this.scrubs.reshape(id, shape));
  }

  /** What lies on the disk under this id, with a row or without, is it this chunk? @returns its shape if so */
  recognise(id: ChunkId, { signal }: Options): Promise<ChunkShape | undefined> {
    return this.#alone(id, `Reading chunk ${short(id)}`, signal, () => this.#recognise(id));
  }

  /**
   * Makes a chunk visible whose file is there without a row.
   *
   * @returns its length; undefined when the file is gone, or is not this chunk, or somebody else saw to it
   */
  adopt(id: ChunkId, claim: Claim, { signal }: Options): Promise<number | undefined> {
    return this.#alone(id, `Taking chunk ${short(id)} up again`, signal, async () => {
      const { index, files, clock } = this.#parts;
      if (!this.#isStray(id)) return undefined;
      const shape = await this.#recognise(id);
      if (shape === undefined || isSmall(shape)) return undefined;
      await files.syncChunk(id);
      const header: ChunkHeader = { ...shape, ...claim, id };
      await index.add(header, clock());
      return shape.bytes;
    });
  }

  /** Chunk files that no row tells of, with the Unix time of their last change. */
  async *strays({ signal }: Options): AsyncGenerator<{ readonly id: ChunkId; readonly changedMs: number }> {
    for await (const ids of this.#parts.files.chunkFiles()) {
      signal.throwIfAborted();
      for (const id of ids.filter((one) => this.#isStray(one))) {
        const changedMs = await this.#parts.files.changedMs(id);
        if (changedMs !== undefined) yield { id, changedMs };
      }
    }
  }

  /** Without effect on a chunk that has a row by now. */
  async removeStray(id: ChunkId, { signal }: Options): Promise<void> {
    await this.#alone(id, `Removing the file of chunk ${short(id)}`, signal, async () => {
      if (this.#isStray(id)) await this.#parts.files.removeChunk(id);
    });
  }

  has(id: ChunkId): boolean {
    return this.#parts.index.has(id);
  }

  /** What a crash left is named by a partial chunk or a pending unlink, and is put right elsewhere. */
  #isStray(id: ChunkId): boolean {
    const { index } = this.#parts;
    return !index.has(id) && !index.isPartial(id) && !this.scrubs.isUnlinked(id);
  }

  #find(id: ChunkId): IndexedChunk | 'hashes' | undefined {
    try {
      return this.#parts.index.find(id);
    } catch (error) {
      if (StorageError.is(error, 'CORRUPT', 'UNSUPPORTED') && this.has(id)) return 'hashes';
      throw error;
    }
  }

  async #look(id: ChunkId, found: IndexedChunk): Promise<Pick<Inspection, 'readBytes' | 'fault' | 'wrong'>> {
    const { shape, content } = found;
    if (isSmall(shape)) return lookAt(shape, content);
    const fileBytes = await this.#parts.files.chunkBytes(id);
    if (fileBytes === undefined) return { readBytes: 0, fault: 'missing', wrong: allSegments(shape) };
    const handle = await this.#parts.files.openChunk(id, MAX_CHUNK_BYTES);
    try {
      const wrong = await unsoundSegments({ handle, shape, memory: this.#parts.files.memory });
      return { readBytes: Math.min(fileBytes, shape.bytes), fault: faultOf(shape, fileBytes, wrong), wrong };
    } finally {
      await handle.close();
    }
  }

  async #refill(id: ChunkId, { shape, content }: IndexedChunk, segments: readonly Segment[]): Promise<void> {
    const assembly = new Assembly(shape);
    if (content !== undefined) assembly.content.set(content.subarray(0, shape.bytes));
    for (const segment of segments) assembly.add(segment);
    if (describeChunk(assembly.content).id !== id) {
      throw new StorageError('CORRUPT', `Segments are missing to make chunk ${short(id)} whole.`);
    }
    await this.scrubs.refill(id, assembly.content);
  }

  async #rewrite(id: ChunkId, shape: ChunkShape, segments: readonly Segment[]): Promise<void> {
    const { files } = this.#parts;
    const handle = await files.openToMend(id);
    try {
      const { size } = await handle.stat();
      for (const { index, bytes } of segments.toSorted((a, b) => a.index - b.index)) {
        const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
        // A file that a crash left at its full length with holes in it would pass for whole.
        if (size < shape.bytes && end === shape.bytes) await handle.sync();
        await writeFully(handle, bytes, start);
      }
      if (size > shape.bytes) await handle.truncate(shape.bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await this.#readBack(id, shape, segments);
  }

  /** A disk that is failing may take bytes and give back others. */
  async #readBack(id: ChunkId, shape: ChunkShape, segments: readonly Segment[]): Promise<void> {
    const { files } = this.#parts;
    const handle = await files.openChunk(id, MAX_CHUNK_BYTES);
    const left = new Set(segments.map(({ index }) => index));
    try {
      const indices = [...left].sort((a, b) => a - b);
      for await (const segment of readSegments({ handle, shape, memory: files.memory }, indices)) {
        if (segmentIsIntact(shape, segment)) left.delete(segment.index);
      }
    } finally {
      await handle.close();
    }
    if (left.size === 0) return;
    throw new StorageError('CORRUPT', `The disk does not keep what is written to chunk ${short(id)}. Replace it.`);
  }

  async #recognise(id: ChunkId): Promise<ChunkShape | undefined> {
    const { index, files } = this.#parts;
    const content = index.contentOf(id) ?? (await readWhole(files, id));
    if (content === undefined || content.length === 0) return undefined;
    const { id: actual, ...shape } = describeChunk(content);
    return actual === id ? shape : undefined;
  }

  #alone<T>(id: ChunkId, doing: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#parts.activities.run(doing, signal, async (running) => {
      const leave = await this.#parts.busy.enter(id, running);
      try {
        return await work();
      } catch (error) {
        throw wrapError(error, doing);
      } finally {
        leave();
      }
    });
  }
}

function short(id: ChunkId): string {
  return `${id.slice(0, 12)}…`;
}

function isSmall(shape: ChunkShape): boolean {
  return shape.bytes < SMALL_CHUNK_BYTES;
}

function lookAt(shape: ChunkShape, content: Uint8Array | undefined): Pick<Inspection, 'readBytes' | 'fault' | 'wrong'> {
  if (content === undefined) return { readBytes: 0, fault: 'missing', wrong: allSegments(shape) };
  const wrong = allSegments(shape).filter((index) => {
    const [start, end] = segmentRange(shape.bytes, index, shape.segmentBytes);
    return !segmentIsIntact(shape, { index, bytes: content.subarray(start, end) });
  });
  return { readBytes: content.length, fault: faultOf(shape, content.length, wrong), wrong };
}

function faultOf(shape: ChunkShape, bytes: number, wrong: readonly number[]): Fault | undefined {
  if (bytes < shape.bytes) return 'cut-off';
  if (wrong.length > 0) return 'rotten';
  return bytes > shape.bytes ? 'too-long' : undefined;
}

interface Writable {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
}

async function writeFully(handle: Writable, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** undefined for a file that is not there, that the disk cannot read, or that is longer than any chunk. */
async function readWhole(files: ChunkFiles, id: ChunkId): Promise<Uint8Array | undefined> {
  const bytes = await files.chunkBytes(id);
  if (bytes === undefined || bytes === 0 || bytes > MAX_CHUNK_BYTES) return undefined;
  const content = new Uint8Array(bytes);
  const handle = await files.openToMend(id);
  try {
    for (let done = 0; done < bytes;) {
      const { bytesRead } = await handle.read(content, done, bytes - done, done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    return content;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}
