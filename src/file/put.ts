import { randomBytes } from 'node:crypto';
import { toHex } from '../bytes.js';
import type { ExtentRef, FreedStripe, NewVersion, Session, StripeRecord } from '../catalog/catalog.js';
import { DIRECTORY_SALT_BYTES } from '../chunk/directory.js';
import type { FileId, StripeId, VersionId } from '../chunk/ids.js';
import { maxExtentPlainBytes } from '../chunk/stripe-layout.js';
import { type ErrorCode, StorageError, wrapError } from '../errors.js';
import { COMMIT_FILES } from '../limits.js';
import { requiredReceipts, type Scheme } from '../peers/scheme.js';
import { abortable } from '../store/abortable.js';
import { schemeOfNow, type Engine } from './engine.js';
import { extentsOf } from './extents-of.js';
import { Packer, stripeCapacity, type Packed } from './pack.js';
import { freeStripes } from './remove.js';
import { Slots } from './slots.js';
import type { JobOwner } from './stripe-host.js';
import {
  isFailure,
  type LocalSource,
  type Piece,
  type StoredStripe,
  type StripeShape,
  type Target,
} from './worker/protocol.js';

export interface PutFile {
  readonly path: string;
  readonly modifiedMs: number;
  /** POSIX permission bits. */
  readonly mode: number;
  readonly source: LocalSource | AsyncIterable<Uint8Array>;
}

export interface PutResult {
  readonly version: VersionId;
  readonly bytes: number;
  readonly stripes: number;
  /** Chunks that no peer has acknowledged; above 0 the file is safe but degraded. */
  readonly missingChunks: number;
}

export interface PutEvents {
  /** Plaintext bytes that are safe, since the last call. */
  readonly onProgress?: (bytes: number) => void;
  /** The file is visible and would survive a power cut. */
  readonly onStored: (file: PutFile, result: PutResult) => void;
  /** This file could not be stored; the others go on. */
  readonly onFailed: (file: PutFile, error: StorageError) => void;
}

interface FileState {
  readonly file: PutFile;
  readonly id: FileId;
  readonly version: VersionId;
  /** Known from the start for a local file, at its end for a stream. */
  bytes: number | undefined;
  storedBytes: number;
  missingChunks: number;
  readonly extents: { readonly fileOffset: number; readonly extent: ExtentRef }[];
  failed: boolean;
}

interface Item {
  readonly state: FileState;
  /** The bytes themselves, when they come from a stream, and where they begin in the file. */
  readonly streamed?: { readonly bytes: Uint8Array; readonly fileOffset: number };
}

/**
 * Stores files: local ones are read by the workers, streams are cut here. Small files written together share stripes.
 * Files become visible in groups, each file whole or not at all; what fails or is cancelled leaves nothing behind.
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
  const put = new Put(engine, session, await schemeOfNow(engine, options.signal), options);
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
  /** Stripes that are stored but that no visible file refers to yet. */
  readonly #loose = new Map<StripeId, StripeRecord>();
  /** Stripes that are on their way to peers, and where their chunks may come to lie. */
  readonly #underWay = new Map<StripeId, FreedStripe>();
  readonly #pinned: StripeId[] = [];
  #complete: FileState[] = [];
  #committing: Promise<void> = Promise.resolve();

  constructor(engine: Engine, session: Session, scheme: Scheme, options: PutEvents & { readonly signal: AbortSignal }) {
    this.#engine = engine;
    this.#session = session;
    this.#scheme = scheme;
    this.#events = options;
    this.#signal = options.signal;
    this.#packer = new Packer(stripeCapacity(scheme.k));
    this.#slots = new Slots(engine.pool.slots);
  }

  async run(batches: AsyncIterable<readonly PutFile[]>): Promise<void> {
    try {
      for await (const batch of abortable(batches, this.#signal)) {
        for (const state of await this.#begin(batch)) await this.#add(state);
      }
      for (const packed of this.#packer.flush()) await this.#submit(packed);
      await this.#slots.idle();
      await this.#commit(0);
      this.#signal.throwIfAborted();
    } finally {
      await this.#slots.idle();
      await this.#committing;
      await this.#free();
      for (const id of this.#pinned) this.#engine.pinned.delete(id);
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
    } else if (file.source.fileBytes === 0) {
      await this.#settle(state);
    } else {
      for (const packed of this.#packer.add({ item: { state }, path: file.path, bytes: file.source.fileBytes })) {
        await this.#submit(packed);
      }
    }
  }

  async #addStream(state: FileState, source: AsyncIterable<Uint8Array>): Promise<void> {
    const { path } = state.file;
    const extentBytes = maxExtentPlainBytes(stripeCapacity(this.#scheme.k), path);
    let total = 0;
    try {
      for await (const { bytes, fileOffset, last } of extentsOf(abortable(source, this.#signal), extentBytes)) {
        this.#signal.throwIfAborted();
        total += bytes.length;
        const item: Item = { state, streamed: { bytes, fileOffset } };
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
    if (total === 0) await this.#settle(state);
  }

  async #submit(packed: readonly Packed<Item>[]): Promise<void> {
    this.#signal.throwIfAborted();
    const live = packed.filter(({ item }) => !item.state.failed);
    if (live.length > 0) await this.#slots.run(() => this.#store(live));
  }

  /** Never rejects: what goes wrong is told of each file. */
  async #store(packed: readonly Packed<Item>[]): Promise<void> {
    try {
      const owner: JobOwner = {
        session: this.#session,
        onProgress: this.#events.onProgress ?? ((): void => undefined),
        onAuthorized: (stripe, targets) => this.#underWay.set(stripe.id, toFreed(stripe, targets)),
      };
      const salt = randomBytes(DIRECTORY_SALT_BYTES);
      const directoryKey = await this.#engine.catalog.directoryKey(this.#session, salt);
      const pieces = packed.map(toPiece);
      const stored = await this.#engine.host.withJob(owner, (job) =>
        this.#engine.pool.storeStripe(
          { job, ...this.#scheme, pieces, directorySalt: salt, directoryKey },
          this.#signal,
        ),
      );
      await this.#take(packed, stored);
    } catch (error) {
      const failure = wrapError(error, 'Storing a stripe');
      for (const { item } of packed) this.#fail(item.state, failure);
    }
  }

  async #take(packed: readonly Packed<Item>[], { stripe, outcomes }: StoredStripe): Promise<void> {
    let missing = 0;
    if (stripe !== undefined) {
      const { id, k, m, bytes, chunkBytes, chunks, placement, label } = stripe;
      this.#underWay.delete(id);
      this.#pinned.push(id);
      this.#engine.pinned.add(id);
      this.#loose.set(id, { id, owner: this.#session.user, k, m, bytes, chunkBytes, chunks, placement, label });
      const acknowledged = placement.filter((place) => place !== undefined).length;
      missing = chunks.length - acknowledged;
      if (acknowledged < requiredReceipts(stripe)) {
        throw new StorageError(
          'UNAVAILABLE',
          `Only ${String(acknowledged)} of ${String(chunks.length)} peers took their part of it, and ${String(requiredReceipts(stripe))} are needed to keep it safe. Nothing of it was kept: see \`shoal status\` for who is missing, and put it again.`,
        );
      }
    }
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
      await this.#settle(item.state);
    }
  }

  #fail(state: FileState, error: StorageError): void {
    if (state.failed) return;
    state.failed = true;
    if (!this.#signal.aborted) this.#events.onFailed(state.file, error);
  }

  async #settle(state: FileState): Promise<void> {
    if (state.failed || state.storedBytes !== (state.bytes ?? -1)) return;
    this.#complete.push(state);
    await this.#commit(COMMIT_FILES);
  }

  /** Makes the complete files visible, when there are at least `least`; one commit after the other. */
  async #commit(least: number): Promise<void> {
    if (this.#complete.length < least) return;
    const states = this.#complete;
    this.#complete = [];
    this.#committing = this.#committing.then(() => this.#commitAll(states));
    await this.#committing;
  }

  async #commitAll(states: readonly FileState[]): Promise<void> {
    if (states.length === 0 || this.#signal.aborted) return;
    try {
      const stripes = new Set(states.flatMap(({ extents }) => extents.map(({ extent }) => extent.stripe)));
      const records = [...stripes].map((id) => this.#loose.get(id)).filter((record) => record !== undefined);
      await this.#engine.catalog.putStripes(records);
      await this.#engine.catalog.commit(this.#session, states.map(toVersion));
      for (const { id } of records) this.#loose.delete(id);
      for (const state of states) this.#events.onStored(state.file, toResult(state));
    } catch (error) {
      const [only] = states;
      // One name that is refused must not fail its neighbours.
      if (only === undefined || states.length > 1) for (const state of states) await this.#commitAll([state]);
      else this.#failCommit(only, wrapError(error, `Storing ${only.file.path}`));
    }
  }

  /** A write that broke may have reached the disk all the same: then its chunks are needed, else they are garbage. */
  #failCommit(state: FileState, error: StorageError): void {
    if (!REFUSALS.has(error.code)) for (const { extent } of state.extents) this.#loose.delete(extent.stripe);
    this.#fail(state, error);
  }

  /** What was stored for files that failed is deleted again. */
  async #free(): Promise<void> {
    const freed = [...this.#loose.values()].map(({ id, chunks, placement }) => ({
      stripe: id,
      chunks: chunks.flatMap((chunk, index) => {
        const peer = placement[index]?.peer;
        return peer === undefined ? [] : [{ id: chunk, peer }];
      }),
    }));
    if (freed.length > 0) await freeStripes(this.#engine, this.#session, freed);
    // What was cancelled may still be arriving: deleted at once, it could come after its deletion.
    const underWay = [...this.#underWay.values()];
    if (underWay.length > 0) await freeStripes(this.#engine, this.#session, underWay, { later: true });
  }
}

/** Codes with which a catalog refuses a commit before it writes anything. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'ALREADY_EXISTS',
  'CONFLICT',
  'LIMIT_EXCEEDED',
  'LOCKED',
]);

function toPiece({ item, fileOffset, bytes, last }: Packed<Item>): Piece {
  const { file, id, version } = item.state;
  const { path, modifiedMs, mode } = file;
  const source = item.streamed === undefined ? (file.source as LocalSource) : [item.streamed.bytes];
  const offset = fileOffset + (item.streamed?.fileOffset ?? 0);
  return { file: id, version, path, modifiedMs, mode, fileOffset: offset, bytes, last, source };
}

function toFreed({ id, chunks }: StripeShape, targets: readonly Target[]): FreedStripe {
  const spares = targets.slice(chunks.length);
  const perhaps = chunks.flatMap((chunk, index) =>
    [...targets.slice(index, index + 1), ...spares].map((target) => ({ id: chunk, peer: target.id })),
  );
  return { stripe: id, chunks: perhaps };
}

function toVersion({ file, id, version, bytes, extents }: FileState): NewVersion {
  const ordered = extents.toSorted((a, b) => a.fileOffset - b.fileOffset).map(({ extent }) => extent);
  const { path, modifiedMs, mode } = file;
  return { path, manifest: { file: id, version, bytes: bytes ?? 0, modifiedMs, mode, extents: ordered } };
}

function toResult({ version, bytes, extents, missingChunks }: FileState): PutResult {
  const stripes = new Set(extents.map(({ extent }) => extent.stripe)).size;
  return { version, bytes: bytes ?? 0, stripes, missingChunks };
}
