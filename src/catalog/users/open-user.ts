import { setTimeout as delay } from 'node:timers/promises';
import type { PeerId } from '../../chunk/ids.js';
import type { DocumentDatabase } from '../../documents/document-database.js';
import { StorageError, wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { KeyRotation } from '../catalog.js';
import type { OwnHome } from '../records/own-home.js';
import { FormerDatabases } from './former-databases.js';
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
  /** Given away once it is opened: wiped in the end. */
  readonly ring: KeyRing;
  readonly generations: UserGenerations;
  /** Hears which generation is in use here. */
  readonly home: Pick<OwnHome, 'generation' | 'arrive' | 'say' | 'isOver'>;
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
 * generation, while the former one is used, then what came meanwhile is brought over, and the home says so. Where that stops
 * it goes on at the next unlock, from what is in the databases. What comes into the former one after that, from peers that
 * were away, is brought over too, until no home is waited for any more.
 */
export class OpenUser {
  #user: UserDocument;
  #ring: KeyRing;
  readonly #generations: UserGenerations;
  readonly #home: OpenUserOptions['home'];
  readonly #peer: PeerId;
  readonly #logger: Logger;
  #active: Active;
  /** Older generations of which something that this home had may not be in the newest. */
  #sources: readonly number[];
  /** The generation that this home can say it has; see Home. */
  #settled: number;
  /** The generation that is known to have come whole. */
  #whole = 0;
  #said: Promise<void> = Promise.resolve();
  #former: FormerDatabases | undefined;
  #progress: StateProgress = { done: 0, all: 0 };
  /** While the catalogs are exchanged, who wants one waits. */
  #exchange: Promise<void> | undefined;
  #advancing: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: OpenUserOptions, active: Active, { sources, settled }: Standing) {
    this.#user = options.user;
    this.#ring = options.ring;
    this.#generations = options.generations;
    this.#home = options.home;
    this.#peer = options.peer;
    this.#logger = options.logger;
    this.#active = active;
    this.#sources = sources;
    this.#settled = settled;
  }

  static async open(options: OpenUserOptions): Promise<OpenUser> {
    const { ring, generations, home } = options;
    const here = await generations.here(ring);
    const generation = await newestWhole(generations, ring, here);
    const standing = standingOf({ here, generation, newest: ring.generation, said: await home.generation() });
    const catalog = await generations.catalog(generation, ring);
    if (standing.sources.length === 0 && generation === ring.generation) catalog.settle();
    const opened = new OpenUser(options, { catalog, generation, uses: 0 }, standing);
    if (standing.settled === ring.generation) catalog.settle();
    opened.#advanceInBackground();
    return opened;
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

  /** Says that the user is at home here, and which generation this home has. */
  arrive(): Promise<void> {
    return this.#tell((settled) => this.#home.arrive(settled, this.#ring.signer));
  }

  /** A home of the user has said something. */
  lookAgain(): void {
    this.#former?.lookAgain();
  }

  /** A later document of the user, and its keys; a rotation begins, or goes on under them. @param ring given away */
  renew(user: UserDocument, ring: KeyRing): void {
    const former = this.#ring;
    // What is under way was begun for the former keys, and ends before they are wiped: under wiped keys nothing is believed.
    this.#advancing?.stop.abort();
    this.#user = user;
    this.#ring = ring;
    if (former.generation < ring.generation && !this.#sources.includes(this.#active.generation)) {
      this.#sources = [...this.#sources, this.#active.generation];
    }
    former.wipe();
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
    // Whoever started the work is told how it ended.
    const ended = work.then(() => this.#follow(stop.signal)).catch(noop);
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
    try {
      await this.#active.catalog.close();
      await this.#said;
    } finally {
      this.#ring.wipe();
    }
  }

  #advanceInBackground(): void {
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

  /** One at a time, each with what is so by then. */
  #tell(say: (settled: number) => Promise<void>): Promise<void> {
    const told = this.#said.then(() => say(this.#settled));
    this.#said = told.catch(noop);
    return told;
  }

  /** What goes on once the newest generation is in use. Ends when the signal aborts. */
  async #follow(signal: AbortSignal): Promise<void> {
    const former = new FormerDatabases({
      generations: this.#generations,
      ring: this.#ring,
      catalog: this.#active.catalog,
      isOver: (generation) => this.#home.isOver(generation),
      onBroughtOver: async (generation) => {
        this.#sources = this.#sources.filter((source) => source !== generation);
        await this.#settle();
      },
      logger: this.#logger,
    });
    this.#former = former;
    await Promise.all([former.run(signal), this.#becomeWhole(signal)]);
  }

  /** A peer that is new to the user has nothing to seal anew: it waits for what others have. */
  async #becomeWhole(signal: AbortSignal): Promise<void> {
    const { generation } = this.#ring;
    if (this.#settled === generation) return;
    try {
      if (this.#whole !== generation) {
        await using newest = await this.#generations.open(generation, this.#ring);
        await this.#arrives(newest.database, signal);
      }
      await this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      const { code } = wrapError(error, 'Waiting for the catalog');
      this.#logger.warn({ user: this.#user.owner, code }, 'the catalog is waited for again at the next unlock');
    }
  }

  /** Resolves when the newest generation has come whole. */
  async #arrives(database: DocumentDatabase, signal: AbortSignal): Promise<void> {
    const { generation } = this.#ring;
    for (;;) {
      // Before looking: what comes meanwhile is in the feed.
      const since = await database.sequence();
      if (await this.#generations.isWhole(generation, this.#ring)) break;
      await stateArrives(database, since, signal);
      signal.throwIfAborted();
    }
    this.#whole = generation;
  }

  /** This home has the newest generation, once that is whole and nothing that it had in others is missing there. */
  async #settle(): Promise<void> {
    const { generation } = this.#ring;
    const isIn = this.#sources.length === 0 && this.#active.generation === generation;
    if (isIn) this.#active.catalog.settle();
    if (this.#settled === generation || this.#whole !== generation || this.#sources.length > 0) return;
    this.#settled = generation;
    this.#active.catalog.settle();
    try {
      await this.#tell((settled) => this.#home.say(settled, this.#ring.signer));
      this.lookAgain();
    } catch (error) {
      const { code } = wrapError(error, 'Saying that the catalog is here');
      this.#logger.warn({ user: this.#user.owner, code }, 'that the catalog is here will be said at the next unlock');
    }
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
    await this.#settle();
    options.onProgress?.(this.rotation);
  }

  /** Until the database of the new generation begins with all that the former ones had. */
  async #fill(target: OpenGeneration, options: AdvanceOptions): Promise<void> {
    const { signal } = options;
    const { generation } = this.#ring;
    const isMine = options.force === true || this.#user.rotatedBy === this.#peer;
    if (isMine && !(await this.#generations.isWhole(generation, this.#ring))) {
      const pace = paceOf(options.entriesPerSecond);
      const onProgress = async (progress: StateProgress): Promise<void> => {
        this.#progress = progress;
        options.onProgress?.(this.rotation);
        await pace(progress, signal);
      };
      await this.#active.catalog.exportState(target.documents, { signal, onProgress });
    }
    await this.#arrives(target.database, signal);
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

  /** @returns whether nothing of it is left behind */
  async #bringOver(generation: number, { signal }: AdvanceOptions): Promise<boolean> {
    await using source = await this.#generations.open(generation, this.#ring);
    const { left } = await this.#active.catalog.bringOver(source.documents, { signal });
    signal.throwIfAborted();
    return left.length === 0;
  }
}

interface Standing {
  readonly settled: number;
  readonly sources: readonly number[];
}

/**
 * What a home has brought over, by the generations that are here, the one in use, and what it has `said` before.
 *
 * It uses one that it has said to be done with where the newest is damaged, or an old copy of the peer was put back.
 */
function standingOf(at: {
  readonly here: readonly number[];
  readonly generation: number;
  readonly newest: number;
  readonly said: number;
}): Standing {
  const { here, generation, newest, said } = at;
  if (newest === 1) return { settled: 1, sources: [] };
  if (generation === newest && said >= newest) return { settled: newest, sources: [] };
  const sources = here.filter((each) => each < newest);
  // A home that is new to the user, and uses a former generation for now, may write there.
  const known = said === 0 && generation < newest ? Math.min(...here) : said;
  return { settled: Math.min(known, generation), sources };
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
async function stateArrives(database: DocumentDatabase, since: string, signal: AbortSignal): Promise<void> {
  for await (const ids of database.changes({ since, signal })) {
    if (ids.some((id) => id.startsWith(STATE_PREFIX))) return;
  }
}

function noop(): void {
  // whoever waits for the work is told of its end
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
