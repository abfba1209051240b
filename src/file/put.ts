import { randomBytes } from 'node:crypto';
import { toHex } from '../bytes.js';
import type { Session } from '../catalog/catalog.js';
import type { LiveVersion } from '../catalog/compaction.js';
import type { FileId, VersionId } from '../chunk/ids.js';
import { soloExtentPlainBytes } from '../chunk/stripe-layout.js';
import { StorageError, wrapError } from '../errors.js';
import { COMMIT_FILES } from '../limits.js';
import type { Scheme } from '../peers/scheme.js';
import { abortable } from '../store/abortable.js';
import { Companions } from './companions.js';
import { countedPut } from './counted.js';
import { DraftPuts, isLarge } from './draft/put-draft.js';
import { schemeOfNow, type Engine } from './engine.js';
import { stagedExtents, type Staging } from './extents-of.js';
import { Packer, stripeCapacity, type Packed } from './pack.js';
import { PutCommit } from './put-commit.js';
import type { FileState, PutEvents, PutFile } from './put-file.js';
import { Slots } from './slots.js';
import { demandReceipts, storePieces } from './store-pieces.js';
import type { JobOwner } from './stripe-host.js';
import { isFailure, type LocalSource, type Piece, type StoredStripe } from './worker/protocol.js';

export type { PutEvents, PutFile, PutResult } from './put-file.js';

interface Item {
  readonly state: FileState;
  /** The bytes themselves, when they come from a stream, and where they begin in the file. */
  readonly streamed?: {
    readonly bytes: Uint8Array;
    readonly fileOffset: number;
    /** The memory of the bytes may be used by others. */
    readonly release: (() => void) | undefined;
  };
}

/**
 * Stores files: local ones are read by the workers, streams are cut here. Small files written together share stripes.
 * Files become visible in groups, each file whole or not at all; what fails or is cancelled leaves nothing behind. Large
 * local files are drafts, each apart from the others: of these, what was stored stays for the next put.
 *
 * @param batches files in groups of any size, as they become known
 * @throws StorageError TOO_FEW_PEERS before any byte moves; `signal.reason` on abort
 */
export async function putFiles(
  engine: Engine,
  session: Session,
  batches: AsyncIterable<readonly PutFile[]>,
  options: PutEvents & { readonly signal: AbortSignal },
): Promise<void> {
  const scheme = await schemeOfNow(engine, options.signal);
  const events = { ...countedPut(options, engine.telemetry), signal: options.signal };
  const put = new Put(engine, session, scheme, events);
  await put.run(batches);
}

class Put {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #scheme: Scheme;
  readonly #events: PutEvents;
  readonly #signal: AbortSignal;
  readonly #packer: Packer<Item>;
  readonly #slots: Slots;
  readonly #staging: Staging;
  readonly #commit: PutCommit;
  readonly #companions = new Companions();
  readonly #drafts: DraftPuts;

  constructor(engine: Engine, session: Session, scheme: Scheme, options: PutEvents & { readonly signal: AbortSignal }) {
    this.#engine = engine;
    this.#session = session;
    this.#scheme = scheme;
    this.#events = options;
    this.#signal = options.signal;
    this.#packer = new Packer(stripeCapacity(scheme.k));
    const turn = (): Promise<() => void> => engine.pool.turns.take('put', this, this.#signal);
    this.#slots = new Slots(turn);
    this.#drafts = new DraftPuts({ engine, session, scheme, events: options, turn, signal: options.signal });
    this.#staging = { staged: engine.pool.staged.join(), memory: engine.pool.memory };
    const fail = this.#fail.bind(this);
    this.#commit = new PutCommit({ engine, session, events: options, signal: options.signal, fail });
  }

  async run(batches: AsyncIterable<readonly PutFile[]>): Promise<void> {
    try {
      for await (const batch of abortable(batches, this.#signal)) {
        for (const state of await this.#begin(batch)) await this.#add(state);
      }
      for (const packed of this.#packer.flush()) await this.#submit(packed);
      await this.#slots.idle();
      await this.#commit.commit(0);
      await this.#drafts.idle();
      this.#signal.throwIfAborted();
    } finally {
      await this.#slots.idle();
      await this.#drafts.idle();
      this.#staging.staged.leave();
      await this.#commit.end();
    }
  }

  /** New versions of files that exist keep their file id. */
  async #begin(batch: readonly PutFile[]): Promise<FileState[]> {
    this.#signal.throwIfAborted();
    const { catalog } = this.#engine;
    const begin = (file: PutFile, id: FileId | undefined): FileState => ({
      file,
      id: id ?? (toHex(randomBytes(16)) as FileId),
      version: toHex(randomBytes(16)) as VersionId,
      createdMs: Date.now(),
      bytes: 'local' in file.source ? file.source.fileBytes : undefined,
      storedBytes: 0,
      missingChunks: 0,
      extents: [],
      failed: false,
    });
    try {
      const ids = await catalog.fileIds(
        this.#session,
        batch.map(({ path }) => path),
      );
      return batch.map((file, index) => begin(file, ids[index]));
    } catch (error) {
      if (StorageError.is(error, 'LOCKED') || batch.length <= 1) {
        if (StorageError.is(error, 'LOCKED')) throw error;
        for (const file of batch) this.#events.onFailed(file, wrapError(error, `Storing ${file.path}`));
        return [];
      }
      // One bad name must not fail its neighbours.
      return (await Promise.all(batch.map((file) => this.#begin([file])))).flat();
    }
  }

  async #add(state: FileState): Promise<void> {
    const { file } = state;
    this.#signal.throwIfAborted();
    if (!('local' in file.source)) {
      await this.#addStream(state, file.source);
    } else if (isLarge(file) && (await this.#drafts.add(file, state.id))) {
      return;
    } else if (file.source.fileBytes === 0) {
      await this.#settleEmpty(state);
    } else {
      for (const packed of this.#packer.add({ item: { state }, path: file.path, bytes: file.source.fileBytes })) {
        await this.#submit(packed);
      }
    }
  }

  async #addStream(state: FileState, source: AsyncIterable<Uint8Array>): Promise<void> {
    const { path } = state.file;
    const extentBytes = soloExtentPlainBytes(stripeCapacity(this.#scheme.k), path);
    let total = 0;
    try {
      const extents = stagedExtents(abortable(source, this.#signal), this.#staging, extentBytes);
      for await (const { bytes, fileOffset, last, release } of extents) {
        this.#signal.throwIfAborted();
        total += bytes.length;
        const item: Item = { state, streamed: { bytes, fileOffset, release } };
        if (last) state.bytes = total;
        if (last)
          for (const packed of this.#packer.add({ item, path, bytes: bytes.length })) await this.#submit(packed);
        else await this.#submit([{ item, fileOffset: 0, bytes: bytes.length, last }]);
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#fail(state, wrapError(error, `Reading what is to become ${path}`));
      return;
    }
    state.bytes = total;
    if (total === 0) await this.#settleEmpty(state);
  }

  async #submit(packed: readonly Packed<Item>[]): Promise<void> {
    this.#signal.throwIfAborted();
    const live = packed.filter(({ item }) => !item.state.failed);
    if (live.some(({ bytes }) => bytes > 0)) await this.#slots.run(() => this.#store(live));
    else release(packed);
  }

  /** Never rejects: what goes wrong is told of each file. */
  async #store(live: readonly Packed<Item>[]): Promise<void> {
    const packed = live.filter(({ bytes }) => bytes > 0);
    try {
      const owner: JobOwner = {
        session: this.#session,
        onProgress: this.#events.onProgress ?? ((): void => undefined),
        onAuthorized: (stripe, targets) => this.#commit.begin(stripe, targets),
      };
      const pieces = packed.map(toPiece);
      const mentions = live.filter(({ bytes }) => bytes === 0).map(toMention);
      const job = { pieces, mentions, scheme: this.#scheme };
      await this.#take(packed, await storePieces(this.#engine, owner, job, this.#signal));
    } catch (error) {
      const failure = wrapError(error, 'Storing a stripe');
      for (const { item } of packed) this.#fail(item.state, failure);
    } finally {
      release(packed);
    }
  }

  async #take(packed: readonly Packed<Item>[], { stripe, outcomes }: StoredStripe): Promise<void> {
    if (stripe !== undefined) this.#commit.stored(stripe);
    const missing = stripe === undefined ? 0 : demandReceipts(stripe);
    this.#companions.join(packed.map(({ item }) => item.state));
    for (const [index, { item, fileOffset, bytes }] of packed.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (isFailure(outcome)) {
        this.#fail(item.state, new StorageError(outcome.code, outcome.message));
        continue;
      }
      item.state.extents.push({ fileOffset: fileOffset + (item.streamed?.fileOffset ?? 0), extent: outcome });
      item.state.storedBytes += bytes;
      item.state.missingChunks += missing;
    }
    for (const { item } of packed) this.#settle(item.state);
    await this.#commit.commit(COMMIT_FILES);
  }

  #fail(state: FileState, error: StorageError): void {
    if (state.failed) return;
    state.failed = true;
    if (!this.#signal.aborted) this.#events.onFailed(state.file, error);
    this.#settle(state);
  }

  async #settleEmpty(state: FileState): Promise<void> {
    for (const packed of this.#packer.mention({ state }, state.file.path)) await this.#submit(packed);
    this.#settle(state);
    await this.#commit.commit(COMMIT_FILES);
  }

  /** What waited for this file to be whole, or to fail, is for the next commit. */
  #settle(state: FileState): void {
    for (const ready of this.#companions.release(state)) this.#commit.add(ready);
  }
}

function release(packed: readonly Packed<Item>[]): void {
  for (const { item } of packed) item.streamed?.release?.();
}

function toMention({ item }: Packed<Item>): LiveVersion {
  const { file, id, version, createdMs } = item.state;
  const { path, modifiedMs, mode } = file;
  return { file: id, version, path, modifiedMs, createdMs, mode };
}

function toPiece({ item, fileOffset, bytes, last }: Packed<Item>): Piece {
  const { file } = item.state;
  const source = item.streamed === undefined ? (file.source as LocalSource) : [item.streamed.bytes];
  const offset = fileOffset + (item.streamed?.fileOffset ?? 0);
  return { ...toMention({ item, fileOffset, bytes, last }), fileOffset: offset, bytes, last, source };
}
