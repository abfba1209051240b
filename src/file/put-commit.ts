import type { FreedStripe, Session, StripeRecord } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import { type ErrorCode, type StorageError, wrapError } from '../errors.js';
import type { Engine } from './engine.js';
import { toResult, toVersion, type FileState, type PutEvents } from './put-file.js';
import { collectOrphans, freeStrays, freeStripes, placesOf } from './remove.js';
import type { StoredStripe, Stray, StripeShape, Target } from './worker/protocol.js';

/** Codes with which a catalog refuses a commit before it writes anything. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'ALREADY_EXISTS',
  'CONFLICT',
  'PRECONDITION_FAILED',
  'LIMIT_EXCEEDED',
  'LOCKED',
]);

export interface PutCommitOptions {
  readonly engine: Engine;
  readonly session: Session;
  readonly events: PutEvents;
  readonly signal: AbortSignal;
  /** A file could not be made visible. */
  readonly fail: (state: FileState, error: StorageError) => void;
}

/**
 * What a put has at the peers, and how it becomes visible or is given back. Every stripe is pinned, and an intent lies on the
 * disk, from before its first chunk leaves until a visible file refers to it or its deletion is noted: so also a put that
 * ends with the process leaves nothing behind that nobody knows of.
 */
export class PutCommit {
  readonly #options: PutCommitOptions;
  /** Stripes on their way to peers. */
  readonly #underWay = new Map<StripeId, FreedStripe>();
  /** Stripes that are stored but that no visible file refers to yet. */
  readonly #loose = new Map<StripeId, StripeRecord>();
  /** Where chunks may lie beside their places. */
  readonly #strays = new Map<StripeId, readonly Stray[]>();
  readonly #pinned = new Set<StripeId>();
  #complete: FileState[] = [];
  #committing: Promise<void> = Promise.resolve();

  constructor(options: PutCommitOptions) {
    this.#options = options;
  }

  /** From now on peers may hold chunks of it. */
  async begin({ id, chunks }: StripeShape, targets: readonly Target[]): Promise<void> {
    const { engine, session } = this.#options;
    this.#pinned.add(id);
    engine.pinned.add(id);
    const intent = { stripe: id, owner: session.user, chunks, targets: targets.map((target) => target.id) };
    this.#underWay.set(id, placesOf(intent));
    await engine.outbox.intend(intent);
  }

  /** Its chunks lie where they are to lie. */
  stored({ strays, ...stripe }: NonNullable<StoredStripe['stripe']>): void {
    const { id, k, m, bytes, chunkBytes, chunks, placement, label } = stripe;
    this.#underWay.delete(id);
    if (strays.length > 0) this.#strays.set(id, strays);
    const owner = this.#options.session.user;
    this.#loose.set(id, { id, owner, k, m, bytes, chunkBytes, chunks, placement, label });
  }

  /** A file whose every extent is stored becomes visible with the next commit. */
  add(state: FileState): void {
    this.#complete.push(state);
  }

  /** Makes the complete files visible, when there are at least `least`; one commit after the other. */
  async commit(least: number): Promise<void> {
    if (this.#complete.length < least) return;
    const states = this.#complete;
    this.#complete = [];
    this.#committing = this.#committing.then(() => this.#commitAll(states));
    await this.#committing;
  }

  /** Gives back what no visible file refers to. Nothing of the put may be under way any more. */
  async end(): Promise<void> {
    const { engine, session } = this.#options;
    await this.#committing;
    const freed = [...this.#loose.values()].map((record) => lying(record, this.#strays.get(record.id) ?? []));
    // What was cancelled, or not acknowledged, may still be arriving: deleted at once, it could come after its deletion.
    const arriving = [...this.#underWay.values(), ...freed.filter(({ stripe }) => this.#strays.has(stripe))];
    const lain = freed.filter(({ stripe }) => !this.#strays.has(stripe));
    if (lain.length > 0) await freeStripes(engine, session, lain);
    if (arriving.length > 0) await freeStripes(engine, session, arriving, { later: true });
    for (const id of this.#pinned) engine.pinned.delete(id);
    try {
      if (this.#pinned.size > 0) await collectOrphans(engine, session);
    } catch (error) {
      // The put has told what became of it; whoever keeps house looks again.
      engine.logger.warn({ err: error }, 'what a put may have left behind could not be looked at yet');
    }
  }

  /** @param doubtful they may be visible already: a commit of them broke */
  async #commitAll(states: readonly FileState[], doubtful = false): Promise<void> {
    const { engine, session, events, signal } = this.#options;
    if (states.length === 0 || signal.aborted) return;
    try {
      const stripes = new Set(states.flatMap(({ extents }) => extents.map(({ extent }) => extent.stripe)));
      const records = [...stripes].map((id) => this.#loose.get(id)).filter((record) => record !== undefined);
      await engine.catalog.putStripes(records);
      await engine.catalog.commit(session, states.map(toVersion));
      for (const { id } of records) this.#loose.delete(id);
      engine.outbox.settle([...stripes]);
      for (const record of records) await this.#freeStrays(record);
      for (const state of states) events.onStored(state.file, toResult(state));
    } catch (error) {
      const [only] = states;
      const failure = wrapError(error, `Storing ${only?.file.path ?? 'files'}`);
      const unsure = doubtful || !REFUSALS.has(failure.code);
      // One name that is refused must not fail its neighbours.
      if (only === undefined || states.length > 1) for (const state of states) await this.#commitAll([state], unsure);
      else this.#failCommit(only, failure, unsure);
    }
  }

  /**
   * A write that broke may have reached the disk all the same: then its chunks are needed, else they are garbage. That shows
   * only when the catalog is read from the disk again, so until this process ends the stripes stay pinned.
   */
  #failCommit(state: FileState, error: StorageError, doubtful: boolean): void {
    if (doubtful) {
      for (const { extent } of state.extents) {
        this.#loose.delete(extent.stripe);
        this.#pinned.delete(extent.stripe);
      }
    }
    this.#options.fail(state, error);
  }

  /** A target that was replaced may hold the chunk all the same; where none replaced it, repair will be glad of it. */
  async #freeStrays({ id, chunks, placement }: StripeRecord): Promise<void> {
    const strays = this.#strays.get(id)?.filter((stray) => placement[chunks.indexOf(stray.id)] !== undefined) ?? [];
    if (strays.length > 0)
      await freeStrays(this.#options.engine, this.#options.session, { stripe: id, chunks: strays });
  }
}

/** Where the chunks of a stripe lie or may lie. */
export function lying({ id, chunks, placement }: StripeRecord, strays: readonly Stray[]): FreedStripe {
  const placed = chunks.flatMap((chunk, index) => {
    const peer = placement[index]?.peer;
    return peer === undefined ? [] : [{ id: chunk, peer }];
  });
  return { stripe: id, chunks: [...placed, ...strays] };
}
