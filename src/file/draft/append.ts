import type { Session } from '../../catalog/catalog.js';
import { soloExtentPlainBytes } from '../../chunk/stripe-layout.js';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_SHORT_PARTS } from '../../limits.js';
import { abortable } from '../../store/abortable.js';
import { schemeOfNow, type Engine } from '../engine.js';
import { stagedExtents } from '../extents-of.js';
import { stripeCapacity } from '../pack.js';
import type { DraftId } from './draft.js';
import { giveBackFrom } from './give-up.js';
import type { OpenDraft } from './open-draft.js';
import { PartWriter } from './part-writer.js';
import { resumeDraft } from './resume.js';

export interface AppendOptions {
  /** Where the bytes belong: right after those that are there. */
  readonly offset: number;
  readonly source: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Adds bytes to a draft. What has come is kept when the source fails, and whole stripes of it on abort; nothing of a source
 * that is longer than the file was to be.
 *
 * @returns up to where the file is there, durably
 * @throws StorageError CONFLICT for another offset and while somebody else adds, LIMIT_EXCEEDED past the end of the file, NOT_FOUND,
 * TOO_FEW_PEERS; what the source fails with; `signal.reason` on abort
 */
export async function appendToDraft(
  engine: Engine,
  session: Session,
  id: DraftId,
  options: AppendOptions,
): Promise<number> {
  const { offset, signal } = options;
  await using draft = await resumeDraft(engine, session, id, signal);
  if (draft.offset !== offset) throw otherOffset(draft, offset);
  if (draft.shortParts >= MAX_SHORT_PARTS) {
    throw new StorageError(
      'LIMIT_EXCEEDED',
      'This upload came in too many small parts. Give it up, and send larger ones.',
    );
  }
  // They came after one that failed; where they begin, another cut may end.
  await giveBackFrom(engine, session, draft, offset);
  const scheme = await schemeOfNow(engine, signal);
  const request = {};
  const writer = new PartWriter({
    engine,
    session,
    draft,
    scheme,
    turn: () => engine.pool.turns.take('put', request, signal),
    signal,
    onProgress: options.onProgress ?? ((): void => undefined),
  });
  const staging = { staged: engine.pool.staged.join(), memory: engine.pool.memory };
  const incoming = new Incoming(options.source, draft.head.bytes - offset);
  const extentBytes = soloExtentPlainBytes(stripeCapacity(scheme.k), draft.head.path);
  try {
    for await (const extent of stagedExtents(abortable(incoming.bytes(), signal), staging, extentBytes)) {
      const { bytes, fileOffset, release } = extent;
      await writer.submit({ fileOffset: offset + fileOffset, bytes: bytes.length, source: [bytes], release });
      if (writer.failure !== undefined) break;
    }
  } finally {
    await writer.idle();
    staging.staged.leave();
  }
  signal.throwIfAborted();
  // Who sends more than was announced sends something else.
  if (incoming.failure?.code === 'LIMIT_EXCEEDED') await giveBackFrom(engine, session, draft, offset);
  const failure = writer.failure ?? incoming.failure;
  if (failure !== undefined) throw failure;
  return draft.offset;
}

function otherOffset(draft: OpenDraft, offset: number): StorageError {
  return new StorageError(
    'CONFLICT',
    `This upload goes on at byte ${String(draft.offset)}, not at ${String(offset)}. Ask how far it is, and go on there.`,
  );
}

/** A source that may fail: what has come before is the end of it then. */
class Incoming {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #most: number;
  #failure: StorageError | undefined;

  constructor(source: AsyncIterable<Uint8Array>, most: number) {
    this.#source = source;
    this.#most = most;
  }

  get failure(): StorageError | undefined {
    return this.#failure;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    let total = 0;
    try {
      for await (const part of this.#source) {
        total += part.length;
        if (total > this.#most)
          throw new StorageError('LIMIT_EXCEEDED', 'More bytes came than the upload was to have.');
        yield part;
      }
    } catch (error) {
      this.#failure = wrapError(error, 'Receiving an upload');
    }
  }
}
