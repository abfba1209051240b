import type { Session } from '../catalog/catalog.js';
import { type ErrorCode, type StorageError, wrapError } from '../errors.js';
import type { Engine } from './engine.js';
import { LooseStripes } from './loose-stripes.js';
import { toResult, toVersion, type FileState, type PutEvents } from './put-file.js';
import type { StoredStripe, StripeShape, Target } from './worker/protocol.js';

/** Codes with which a catalog refuses a commit before it writes anything. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set([
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

/** How what a put has at the peers becomes visible, or is given back. */
export class PutCommit {
  readonly #options: PutCommitOptions;
  readonly #stripes: LooseStripes;
  #complete: FileState[] = [];
  #committing: Promise<void> = Promise.resolve();

  constructor(options: PutCommitOptions) {
    this.#options = options;
    this.#stripes = new LooseStripes(options.engine, options.session);
  }

  /** From now on peers may hold chunks of it. */
  begin(shape: StripeShape, targets: readonly Target[]): Promise<void> {
    return this.#stripes.begin(shape, targets);
  }

  /** Its chunks lie where they are to lie. */
  stored(stripe: NonNullable<StoredStripe['stripe']>): void {
    this.#stripes.stored(stripe);
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
    await this.#committing;
    await this.#stripes.end();
  }

  /** @param doubtful they may be visible already: a commit of them broke */
  async #commitAll(states: readonly FileState[], doubtful = false): Promise<void> {
    const { engine, session, events, signal } = this.#options;
    if (states.length === 0 || signal.aborted) return;
    try {
      const stripes = new Set(states.flatMap(({ extents }) => extents.map(({ extent }) => extent.stripe)));
      await engine.catalog.putStripes(this.#stripes.recordsOf(stripes));
      await engine.catalog.commit(session, states.map(toVersion));
      await this.#stripes.settle([...stripes]);
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

  #failCommit(state: FileState, error: StorageError, doubtful: boolean): void {
    if (doubtful) this.#stripes.doubt(state.extents.map(({ extent }) => extent.stripe));
    this.#options.fail(state, error);
  }
}
