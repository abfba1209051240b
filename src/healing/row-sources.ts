import { setTimeout as delay } from 'node:timers/promises';
import { segmentIsIntact, verifyShape } from '../chunk/segments.js';
import type { PeerId } from '../chunk/ids.js';
import { assert, StorageError, wrapError } from '../errors.js';
import { MAX_ROTTEN_SEGMENTS, REBUILD_PATIENCE_MS, REBUILD_SOURCE_TIMEOUT_MS } from '../limits.js';
import { timeLimit } from '../time-limit.js';
import { askMembers, recordedHolders, type CodedStripe, type HealingNetwork, type Holder } from './stripe-holders.js';

export interface RowSourcesOptions {
  readonly stripe: CodedStripe;
  /** The chunk that is wanted, and so no source. */
  readonly index: number;
  readonly network: HealingNetwork;
  /** Holders that somebody told of: asked like those that the record names. */
  readonly hints?: readonly Holder[];
  /** Told of the bytes that came from other peers, of whatever use they are. */
  readonly onMoved?: (bytes: number) => void;
  /** A source that is not done after so many milliseconds gets another one beside it; REBUILD_PATIENCE_MS unless given. */
  readonly patienceMs?: number;
}

/** The same segment of k chunks, by the index of the chunk. */
export type Row = ReadonlyMap<number, Uint8Array>;

/** What one attempt to bring some rows has so far. */
interface Gathering {
  readonly rows: readonly number[];
  readonly signal: AbortSignal;
  /** By index of chunk: its segments in the order of `rows`. */
  readonly got: Map<number, readonly Uint8Array[]>;
  readonly active: Map<Holder, Promise<void>>;
  /** Of the active ones: those that others were asked beside. */
  readonly late: Set<Holder>;
}

/** Sources that the final error names. */
const NAMED_FAILURES = 6;

/**
 * Brings rows of a stripe from any k of its chunks. Every segment is checked against the hash list of its own chunk, which
 * the chunk id vouches for, so a source that lies is found out by its first wrong byte. Sources that fail, stall or lie are
 * replaced; no row is asked of more of them than it takes.
 */
export class RowSources {
  readonly #options: RowSourcesOptions;
  #candidates: Holder[] | undefined;
  #askedAll = false;
  #silent: readonly PeerId[] = [];
  /** Out for good, and why. */
  readonly #failed = new Map<string, string>();
  /** Segments that were wrong at a source that has right ones, too. */
  readonly #rotten = new Map<string, Set<number>>();

  constructor(options: RowSourcesOptions) {
    this.#options = options;
  }

  /**
   * @param rows ascending; all of them from k chunks are in memory at once
   * @returns by row
   * @throws StorageError UNAVAILABLE when some row cannot be had from k chunks; `signal.reason` on abort
   */
  async bring(rows: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, Row>> {
    try {
      const got = [...(await this.#gather(rows, signal))];
      return new Map(rows.map((row, at) => [row, new Map(got.map(([index, bytes]) => [index, segmentAt(bytes, at)]))]));
    } catch (error) {
      if (rows.length === 1 || !StorageError.is(error, 'UNAVAILABLE') || this.#rotten.size === 0) throw error;
    }
    // Rot at several sources in different places: each row alone may be had all the same.
    const single = new Map<number, Row>();
    for (const row of rows) for (const [key, value] of await this.bring([row], signal)) single.set(key, value);
    return single;
  }

  async #gather(rows: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, readonly Uint8Array[]>> {
    const { k } = this.#options.stripe;
    const enough = new AbortController();
    const gathering: Gathering = {
      rows,
      signal: AbortSignal.any([signal, enough.signal]),
      got: new Map(),
      active: new Map(),
      late: new Set(),
    };
    const { got, active } = gathering;
    try {
      while (got.size < k) {
        signal.throwIfAborted();
        const isExhausted = !(await this.#request(gathering));
        if (active.size > 0) await this.#progress(gathering);
        else if (isExhausted && got.size < k) throw this.#tooFew(got.size);
      }
      return got;
    } finally {
      enough.abort(new StorageError('CANCELLED', 'Others were faster.'));
      await Promise.all(active.values());
    }
  }

  /** Asks as many sources as it takes; those that are late do not count. @returns false when there are too few */
  async #request(gathering: Gathering): Promise<boolean> {
    const { got, active, late } = gathering;
    while (got.size + active.size - late.size < this.#options.stripe.k) {
      const holder = await this.#next(gathering);
      if (holder === undefined) return false;
      active.set(holder, this.#take(holder, gathering));
    }
    return true;
  }

  async #next({ rows, signal, got, active, late }: Gathering): Promise<Holder | undefined> {
    const coming = [...active.keys()].filter((holder) => !late.has(holder)).map(({ index }) => index);
    const taken = new Set([...got.keys(), ...coming]);
    const isFit = (holder: Holder): boolean =>
      !taken.has(holder.index) &&
      !active.has(holder) &&
      !this.#failed.has(keyOf(holder)) &&
      !rows.some((row) => this.#rotten.get(keyOf(holder))?.has(row) === true);
    this.#candidates ??= this.#ranked([...(await recordedHolders(this.#options.stripe, this.#options.network))]);
    const fit = this.#candidates.filter(isFit);
    const found = fit.find((holder) => !this.#rotten.has(keyOf(holder))) ?? fit[0];
    if (found !== undefined || this.#askedAll) return found;
    this.#askedAll = true;
    const known = new Set(this.#candidates.map(keyOf));
    const answers = await askMembers(this.#options.stripe, this.#options.network, signal);
    this.#candidates.push(...this.#ranked(answers.holders.filter((holder) => !known.has(keyOf(holder)))));
    this.#silent = answers.silent;
    return this.#candidates.find(isFit);
  }

  /** What lies here costs nothing; then the fastest first, and those that seem down last. */
  #ranked(holders: readonly Holder[]): Holder[] {
    const { index, hints = [], network } = this.#options;
    const { self, book } = network;
    const pace = ({ peer }: Holder): number => (peer === self ? -1 : book.pace(peer));
    const all = this.#candidates === undefined ? [...holders, ...hints] : holders;
    const unique = new Map(all.map((holder) => [keyOf(holder), holder]));
    return [...unique.values()]
      .filter((holder) => holder.index !== index && book.isMember(holder.peer))
      .sort((a, b) => compare(pace(a), pace(b)) || a.index - b.index);
  }

  async #take(holder: Holder, gathering: Gathering): Promise<void> {
    const { rows, signal, got, active, late } = gathering;
    const { self, book } = this.#options.network;
    const startedMs = performance.now();
    try {
      const segments = await this.#fetch(holder, rows, signal);
      if (!got.has(holder.index)) got.set(holder.index, segments);
      const bytes = segments.reduce((sum, { length }) => sum + length, 0);
      if (holder.peer !== self) book.reportSuccess(holder.peer, { bytes, ms: performance.now() - startedMs });
    } catch (error) {
      if (!signal.aborted) this.#note(holder, wrapError(error, 'Fetching a chunk'));
    } finally {
      active.delete(holder);
      late.delete(holder);
    }
  }

  async #fetch(holder: Holder, rows: readonly number[], signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const { stripe, network, onMoved } = this.#options;
    const id = stripe.chunks[holder.index];
    assert(id !== undefined, `chunk ${String(holder.index)} of the stripe`);
    // Within it even a source that drips has sent all, or is given up.
    using patience = timeLimit(REBUILD_SOURCE_TIMEOUT_MS, signal);
    const { shape, segments } = await network.links.store(holder.peer).get(id, {
      signal: patience.signal,
      segments: rows,
    });
    const got: Uint8Array[] = [];
    try {
      verifyShape(id, shape);
      if (shape.bytes !== stripe.chunkBytes) throw corrupt('the chunk has another length than its stripe');
    } catch (error) {
      await segments[Symbol.asyncIterator]().return?.();
      throw error;
    }
    for await (const segment of segments) {
      if (holder.peer !== network.self) onMoved?.(segment.bytes.length);
      if (segment.index !== rows[got.length]) throw corrupt('another segment came than was asked for');
      if (!segmentIsIntact(shape, segment)) throw this.#rot(holder, segment.index);
      got.push(Uint8Array.from(segment.bytes));
    }
    if (got.length < rows.length) throw corrupt('it is cut off');
    return got;
  }

  #rot(holder: Holder, row: number): StorageError {
    const key = keyOf(holder);
    const rotten = this.#rotten.get(key) ?? new Set();
    this.#rotten.set(key, rotten.add(row));
    return corrupt(`segment ${String(row)} does not match its hash`);
  }

  #note(holder: Holder, error: StorageError): void {
    const { self, book } = this.#options.network;
    const rotten = this.#rotten.get(keyOf(holder))?.size ?? 0;
    // One rotten place is no reason to do without the others; more than some are a lie.
    const isRotOnly = error.code === 'CORRUPT' && rotten > 0 && rotten <= MAX_ROTTEN_SEGMENTS;
    if (!isRotOnly) this.#failed.set(keyOf(holder), `${this.#nameOf(holder.peer)}: ${error.message}`);
    if (holder.peer === self) return;
    if (error.code === 'CORRUPT') book.reportCorrupt(holder.peer);
    else if (error.code !== 'NOT_FOUND') book.reportFailure(holder.peer);
  }

  /** Resolves when a source is done or has failed; when none is for a while, all of them are late. */
  async #progress({ active, late }: Gathering): Promise<void> {
    const { patienceMs = REBUILD_PATIENCE_MS } = this.#options;
    const waiting = new AbortController();
    const quiet = delay(patienceMs, 'quiet' as const, { signal: waiting.signal }).catch(() => undefined);
    const settled = [...active.values()];
    const outcome = await Promise.race([...settled, quiet]);
    waiting.abort();
    if (outcome === 'quiet') for (const holder of active.keys()) late.add(holder);
  }

  #tooFew(had: number): StorageError {
    const { stripe } = this.#options;
    const silent = this.#silent.map((peer) => `${this.#nameOf(peer)} does not answer.`);
    const reasons = [...this.#failed.values(), ...silent];
    const told = reasons.slice(0, NAMED_FAILURES).join(' ');
    const more = reasons.length > NAMED_FAILURES ? ` And ${String(reasons.length - NAMED_FAILURES)} more.` : '';
    return new StorageError(
      'UNAVAILABLE',
      `Only ${String(had)} other chunks of stripe ${stripe.id.slice(0, 12)}… can be had, and ${String(stripe.k)} are needed. ${told}${more} Start the peers that do not answer; it is tried again.`,
    );
  }

  #nameOf(peer: PeerId): string {
    return this.#options.network.book.nameOf(peer);
  }
}

function keyOf({ index, peer }: Holder): string {
  return `${String(index)} ${peer}`;
}

function segmentAt(segments: readonly Uint8Array[], at: number): Uint8Array {
  const bytes = segments[at];
  assert(bytes !== undefined, `segment ${String(at)} of those that came`);
  return bytes;
}

/** Infinity and infinity are equal, which their difference would not say. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function corrupt(how: string): StorageError {
  return new StorageError('CORRUPT', `${how}.`);
}
