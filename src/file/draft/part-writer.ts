import type { Session } from '../../catalog/catalog.js';
import type { StripeId } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import type { Scheme } from '../../peers/scheme.js';
import type { Engine } from '../engine.js';
import { freeStrays } from '../remove.js';
import { Slots } from '../slots.js';
import { demandReceipts, storePieces } from '../store-pieces.js';
import { isFailure, type Piece, type StoredStripe } from '../worker/protocol.js';
import type { OpenDraft } from './open-draft.js';

export interface PartWriterOptions {
  readonly engine: Engine;
  readonly session: Session;
  readonly draft: OpenDraft;
  readonly scheme: Scheme;
  /** Resolves when the next stripe may begin, with what is called at its end. */
  readonly turn: () => Promise<() => void>;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

/** A part to be stored: a stripe of its own. */
export interface NewPart {
  readonly fileOffset: number;
  readonly bytes: number;
  readonly source: Piece['source'];
  /** The memory of the bytes may be used by others. */
  readonly release?: (() => void) | undefined;
}

/**
 * Stores parts of one draft, several at once. Each counts from when the journal has it: until then an intent says where its
 * chunks may lie, and whatever interrupts this, they are given back.
 */
export class PartWriter {
  readonly #options: PartWriterOptions;
  readonly #slots: Slots;
  #failure: StorageError | undefined;
  #sourceFailed = false;

  constructor(options: PartWriterOptions) {
    this.#options = options;
    this.#slots = new Slots(options.turn);
  }

  /** What the first part that could not be stored failed with; after it no other is begun. */
  get failure(): StorageError | undefined {
    return this.#failure;
  }

  /** The bytes could not be read as they were to be. */
  get sourceFailed(): boolean {
    return this.#sourceFailed;
  }

  /** Resolves when the part is being stored. @throws the signal's reason on abort */
  async submit(part: NewPart): Promise<void> {
    try {
      this.#options.signal.throwIfAborted();
      if (this.#failure === undefined) await this.#slots.run(() => this.#store(part));
      else part.release?.();
    } catch (error) {
      part.release?.();
      throw error;
    }
  }

  /** Resolves when nothing is being stored any more. */
  idle(): Promise<void> {
    return this.#slots.idle();
  }

  /** Never rejects: see `failure`. */
  async #store(part: NewPart): Promise<void> {
    const { engine, session, draft, scheme, signal, onProgress } = this.#options;
    let begun: StripeId | undefined;
    try {
      const onAuthorized: NonNullable<Parameters<typeof storePieces>[1]['onAuthorized']> = async (stripe, targets) => {
        begun = stripe.id;
        engine.pinned.add(stripe.id);
        const { id, chunks } = stripe;
        await engine.outbox.intend({ stripe: id, owner: session.user, chunks, targets: targets.map((one) => one.id) });
      };
      const owner = { session, onProgress, onAuthorized };
      const pieces = [pieceOf(draft, part)];
      await this.#keep(part, await storePieces(engine, owner, { pieces, mentions: [], scheme }, signal));
    } catch (error) {
      // Its intent is left to `collectOrphans`.
      if (begun !== undefined) engine.pinned.delete(begun);
      this.#failure ??= wrapError(error, `Storing a part of ${draft.head.path}`);
    } finally {
      part.release?.();
    }
  }

  async #keep({ fileOffset }: NewPart, { stripe, outcomes }: StoredStripe): Promise<void> {
    const { engine, session, draft } = this.#options;
    const [outcome] = outcomes;
    if (stripe === undefined || outcome === undefined || isFailure(outcome)) {
      this.#sourceFailed = true;
      const { code, message } = outcome !== undefined && isFailure(outcome) ? outcome : NO_OUTCOME;
      throw new StorageError(code, message);
    }
    demandReceipts(stripe);
    const { id, k, m, bytes, chunkBytes, chunks, placement, label, strays } = stripe;
    const record = { id, owner: session.user, k, m, bytes, chunkBytes, chunks, placement, label };
    await draft.keep({ fileOffset, extent: outcome, stripe: record });
    // Where none replaced a target, it may hold the chunk all the same, and repair will be glad of it.
    const replaced = strays.filter((stray) => placement[chunks.indexOf(stray.id)] !== undefined);
    if (replaced.length > 0) await freeStrays(engine, session, { stripe: id, chunks: replaced });
  }
}

const NO_OUTCOME = { code: 'INTERNAL', message: 'A worker said nothing of a part that it stored.' } as const;

function pieceOf({ head }: OpenDraft, { fileOffset, bytes, source }: NewPart): Piece {
  const { file, version, path, modifiedMs, createdMs, mode } = head;
  const last = fileOffset + bytes === head.bytes;
  return { file, version, path, modifiedMs, createdMs, mode, fileOffset, bytes, last, source };
}
