import { setTimeout as delay } from 'node:timers/promises';
import type { PeerId } from '../../chunk/ids.js';
import type { DocumentDatabase } from '../../documents/document-database.js';
import { StorageError, wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { KeyRotation } from '../catalog.js';
import type { KeyRing } from './key-ring.js';
import { STATE_PREFIX } from '../view/document-id.js';
import type { StateProgress } from '../view/state-writer.js';
import type { UserCatalog } from '../view/user-catalog.js';
import type { UserDocument } from './user-document.js';
import type { OpenGeneration, UserGenerations } from './user-generations.js';

interface Active {
  readonly catalog: UserCatalog;
  readonly generation: number;
  /** Calls that are in it. */
  uses: number;
}

export interface OpenUserOptions {
  readonly user: UserDocument;
  /** Given away: wiped in the end, or when an opening fails. */
  readonly ring: KeyRing;
  readonly generations: UserGenerations;
  readonly peer: PeerId;
  readonly logger: Logger;
}

/** How a rotation is carried on. */
export interface AdvanceOptions {
  readonly signal: AbortSignal;
  /** Seal the catalog anew here, though another peer has begun it. */
  readonly force?: boolean;
  readonly entriesPerSecond?: number;
  readonly onProgress?: (rotation: KeyRotation) => void;
}

/**
 * One unlocked user: the keys, and the files, in the newest generation of the database that is whole at this peer.
 *
 * New keys are valid at once, for whatever is signed. The catalog follows: it is written whole into the database of the new
 * generation, while the former one is used, then what came meanwhile is brought over, then the former one is retired. Where
 * that stops it goes on at the next unlock, from what is in the databases.
 */
export class OpenUser {
  #user: UserDocument;
  #ring: KeyRing;
  readonly #generations: UserGenerations;
  readonly #peer: PeerId;
  readonly #logger: Logger;
  #active: Active;
  /** Older generations of which something may not be in the newest. */
  #sources: readonly number[];
  #progress: StateProgress = { done: 0, all: 0 };
  /** While the catalogs are exchanged, who wants one waits. */
  #exchange: Promise<void> | undefined;
  #advancing: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: OpenUserOptions, active: Active, sources: readonly number[]) {
    this.#user = options.user;
    this.#ring = options.ring;
    this.#generations = options.generations;
    this.#peer = options.peer;
    this.#logger = options.logger;
    this.#active = active;
    this.#sources = sources;
  }

  static async open(options: OpenUserOptions): Promise<OpenUser> {
    const { ring, generations } = options;
    try {
      const here = await generations.here(ring);
      const sources = here.filter((generation) => generation < ring.generation);
      const generation = await newestWhole(generations, ring, here);
      const catalog = await generations.catalog(generation, ring);
      const opened = new OpenUser(options, { catalog, generation, uses: 0 }, sources);
      opened.#advanceInBackground();
      return opened;
    } catch (error) {
      ring.wipe();
      throw error;
    }
  }

  get user(): UserDocument {
    return this.#user;
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  get rotation(): KeyRotation {
    const { done, all } = this.#progress;
    const state = this.#sources.length > 0 ? 'running' : 'none';
    return { generation: this.#ring.generation, state, done: state === 'none' ? all : done, total: all };
  }

  /** Runs one call on the user's files. */
  async with<T>(work: (catalog: UserCatalog) => T | Promise<T>): Promise<T> {
    while (this.#exchange !== undefined) await this.#exchange;
    if (this.#closing !== undefined) throw new StorageError('LOCKED', 'This user is locked. Unlock it first.');
    const active = this.#active;
    active.uses++;
    try {
      return await work(active.catalog);
    } finally {
      active.uses--;
    }
  }

  /** A later document of the user, and its keys; a rotation begins, or goes on under them. @param ring given away */
  renew(user: UserDocument, ring: KeyRing): void {
    const former = this.#ring;
    this.#user = user;
    this.#ring = ring;
    if (former.generation < ring.generation && !this.#sources.includes(this.#active.generation)) {
      this.#sources = [...this.#sources, this.#active.generation];
    }
    former.wipe();
    // What is under way was begun for the former keys, and ends.
    this.#advanceInBackground();
  }

  /** Carries a rotation on until nothing is left of it that this peer can do. One at a time: another that runs is stopped. */
  advance(options: AdvanceOptions): Promise<void> {
    const before = this.#advancing;
    before?.stop.abort();
    const stop = new AbortController();
    const signal = AbortSignal.any([options.signal, stop.signal]);
    const work = (async () => {
      await before?.ended;
      await this.#advance({ ...options, signal });
    })();
    const ended = work.then(noop, noop);
    this.#advancing = { stop, ended };
    return work;
  }

  /** Calls in progress end first. Wipes the keys. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#advancing?.stop.abort();
    await this.#advancing?.ended;
    while (this.#active.uses > 0) await turn();
    await this.#active.catalog.close();
    this.#ring.wipe();
  }

  #advanceInBackground(): void {
    if (this.#sources.length === 0) return;
    const { signal } = new AbortController();
    this.advance({ signal }).catch((error: unknown) => {
      const { code, message } = wrapError(error, 'Rotating the keys');
      if (this.#closing !== undefined || code === 'CANCELLED') return;
      this.#logger.warn(
        { user: this.#user.owner, code, reason: message },
        'the rotation of keys waits for the next unlock',
      );
    });
  }

  async #advance(options: AdvanceOptions): Promise<void> {
    const { generation } = this.#ring;
    if (this.#active.generation < generation) {
      await using target = await this.#generations.open(generation, this.#ring);
      await this.#fill(target, options);
      await this.#moveTo(generation, options);
    }
    const left: number[] = [];
    for (const source of this.#sources) {
      if (!(await this.#bringOver(source, options))) left.push(source);
    }
    this.#sources = left;
    options.onProgress?.(this.rotation);
  }

  /** Until the database of the new generation begins with all that the former ones had. */
  async #fill(target: OpenGeneration, options: AdvanceOptions): Promise<void> {
    const { signal } = options;
    const isMine = options.force === true || this.#user.rotatedBy === this.#peer;
    const pace = paceOf(options.entriesPerSecond);
    const onProgress = async (progress: StateProgress): Promise<void> => {
      this.#progress = progress;
      options.onProgress?.(this.rotation);
      await pace(progress, signal);
    };
    const { generation } = this.#ring;
    while (!(await this.#generations.isWhole(generation, this.#ring))) {
      signal.throwIfAborted();
      if (isMine) await this.#active.catalog.exportState(target.documents, { signal, onProgress });
      else await stateArrives(target.database, signal);
    }
  }

  /** Nothing is lost in between: what was committed to the former catalog by then is brought over before anybody goes on. */
  async #moveTo(generation: number, { signal }: AdvanceOptions): Promise<void> {
    const former = this.#active;
    const catalog = await this.#generations.catalog(generation, this.#ring);
    let go: () => void = () => undefined;
    try {
      await using source = await this.#generations.open(former.generation, this.#ring);
      // Most of it while work goes on, the rest while everybody waits.
      await catalog.bringOver(source.documents, { signal });
      this.#exchange = new Promise((resolve) => {
        go = resolve;
      });
      while (former.uses > 0) await turn(signal);
      await catalog.bringOver(source.documents, { signal });
      this.#active = { catalog, generation, uses: 0 };
    } catch (error) {
      await catalog.close();
      throw error;
    } finally {
      this.#exchange = undefined;
      go();
    }
    await former.catalog.close();
  }

  /** @returns whether nothing of it is left behind, and it is retired */
  async #bringOver(generation: number, { signal }: AdvanceOptions): Promise<boolean> {
    {
      await using source = await this.#generations.open(generation, this.#ring);
      const { left } = await this.#active.catalog.bringOver(source.documents, { signal });
      if (left > 0) return false;
    }
    await this.#generations.retire(generation);
    return true;
  }
}

/** The newest generation that began whole, or, where only the beginning of the newest is here, that. */
async function newestWhole(generations: UserGenerations, ring: KeyRing, here: readonly number[]): Promise<number> {
  if (here.every((generation) => generation === ring.generation)) return ring.generation;
  for (const generation of here.toReversed()) {
    if (await generations.isWhole(generation, ring)) return generation;
  }
  return ring.generation;
}

/** Resolves when a state has come from elsewhere. */
async function stateArrives(database: DocumentDatabase, signal: AbortSignal): Promise<void> {
  const since = await database.sequence();
  for await (const ids of database.changes({ since, signal })) {
    if (ids.some((id) => id.startsWith(STATE_PREFIX))) return;
  }
}

function noop(): void {
  // whoever started the work is told of its end
}

/** How often a lull is looked for when catalogs are exchanged. */
const TURN_MS = 5;

async function turn(signal?: AbortSignal): Promise<void> {
  await delay(TURN_MS, undefined, signal && { signal });
}

/** Waits for as long as the work is ahead of its rate. */
function paceOf(perSecond: number | undefined): (progress: StateProgress, signal: AbortSignal) => Promise<void> {
  if (perSecond === undefined) return async () => undefined;
  let begun: { readonly ms: number; readonly done: number } | undefined;
  return async ({ done }, signal) => {
    begun ??= { ms: performance.now(), done };
    const dueMs = begun.ms + ((done - begun.done) / perSecond) * 1000;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await delay(aheadMs, undefined, { signal });
  };
}
