import type { ChunkHeader, SegmentSource } from '../chunk/chunk-store.js';
import type { Segment } from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import { SMALL_CHUNK_BYTES } from '../limits.js';
import type { Logger } from '../log.js';
import { Assembly } from './assembly.js';
import type { ChunkFiles } from './chunk-files.js';
import type { ChunkIndex } from './chunk-index.js';
import { PartialChunk } from './partial-chunk.js';
import { receiveSegments } from './receive.js';
import type { Promised, Space } from './space.js';

export interface IntakeParts {
  readonly index: ChunkIndex;
  readonly files: ChunkFiles;
  readonly space: Space;
  readonly clock: () => number;
  readonly logger: Logger;
}

/** Takes a chunk in, durably. The order of its steps, and what a crash leaves after each: docs/spec/3-chunk.md. */
export class ChunkIntake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /**
   * The caller sees to it that nobody else does anything to this chunk meanwhile.
   *
   * @returns how many segments were asked for again
   */
  take(header: ChunkHeader, source: SegmentSource, signal: AbortSignal): Promise<number> {
    return header.bytes < SMALL_CHUNK_BYTES
      ? this.#takeSmall(header, source, signal)
      : this.#takeLarge(header, source, signal);
  }

  async #takeSmall(header: ChunkHeader, source: SegmentSource, signal: AbortSignal): Promise<number> {
    const { index, space, clock } = this.#parts;
    const room = await space.promise(header, { unwrittenBytes: header.bytes, unrecordedBytes: header.bytes });
    try {
      const assembly = new Assembly(header);
      const accept = (segment: Segment): undefined => {
        assembly.add(segment);
      };
      const resent = await receiveSegments(header, assembly.missing, source, { signal, accept });
      signal.throwIfAborted();
      await index.add(header, clock(), assembly.content);
      return resent;
    } finally {
      space.release(room);
    }
  }

  async #takeLarge(header: ChunkHeader, source: SegmentSource, signal: AbortSignal): Promise<number> {
    const { index, files, space, clock } = this.#parts;
    const partial = await PartialChunk.open(files, header.id, header);
    let room: Promised | undefined;
    let recorded: Promise<void> | undefined;
    let promoted = false;
    try {
      const unrecordedBytes = index.isPartial(header.id) ? 0 : header.bytes;
      room = await space.promise(header, { unwrittenBytes: partial.missingBytes, unrecordedBytes });
      recorded = this.#record(header, clock(), room);
      const resent = await this.#receive(header, partial, source, { signal, room });
      await partial.sync();
      await recorded;
      signal.throwIfAborted();
      promoted = true;
      await files.promote(header.id);
      await index.add(header, clock());
      return resent;
    } catch (error) {
      await recorded?.catch(() => undefined);
      await this.#setAside(header, partial, { promoted, error });
      throw error;
    } finally {
      await partial.close();
      if (room !== undefined) space.release(room);
    }
  }

  /** On its way to the disk while the segments come; it has to be there before the file gets its final name. */
  #record(header: ChunkHeader, nowMs: number, room: Promised): Promise<void> {
    const recorded = this.#parts.index.beginPartial(header, nowMs).then(() => {
      room.unrecordedBytes = 0;
    });
    recorded.catch(() => undefined);
    return recorded;
  }

  async #receive(
    header: ChunkHeader,
    partial: PartialChunk,
    source: SegmentSource,
    { signal, room }: { readonly signal: AbortSignal; readonly room: Promised },
  ): Promise<number> {
    const accept = (segment: Segment): Promise<void> | undefined => {
      room.unwrittenBytes -= segment.bytes.length;
      return partial.write(segment);
    };
    return await receiveSegments(header, partial.missing, source, { signal, accept });
  }

  /** Keeps what the next put of this chunk can use; on a full disk, and when there is nothing to use, nothing. */
  async #setAside(
    header: ChunkHeader,
    partial: PartialChunk,
    { promoted, error }: { readonly promoted: boolean; readonly error: unknown },
  ): Promise<void> {
    const { files, index, logger } = this.#parts;
    const full = StorageError.is(wrapError(error, ''), 'NO_SPACE');
    try {
      if (promoted) await files.demote(header.id);
      if (!partial.empty && !full) {
        await partial.flush();
        return;
      }
      await partial.close();
      await files.removePartial(header.id);
      if (index.isPartial(header.id)) await index.removePartial(header.id);
    } catch (failure) {
      // The caller hears why the put failed; what could not be tidied now is tidied when the store opens.
      logger.warn({ chunk: header.id, err: failure }, 'a broken transfer could not be tidied up');
    }
  }
}
