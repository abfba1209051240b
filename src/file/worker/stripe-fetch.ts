import type { StripeId } from '../../chunk/ids.js';
import { segmentCount, segmentIsIntact, segmentRange, type ChunkShape, type Segment } from '../../chunk/segments.js';
import type { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { assert, StorageError, wrapError } from '../../errors.js';
import { HEDGE_AFTER_MS } from '../../limits.js';
import { onAbort } from '../../on-abort.js';
import { Standings } from './standings.js';

/** What is known of the stripe before it is fetched. */
export interface StripeSources {
  readonly stripe: StripeId;
  readonly k: number;
  readonly chunkBytes: number;
  /** Milliseconds per MiB lately, for each of the n chunks; Infinity = seems down or nobody holds it. */
  readonly pace: readonly number[];
  /** Who holds each chunk; undefined where nobody is known to. */
  readonly sources: readonly ({ readonly name: string } | undefined)[];
}

/** Fetches some segments of one chunk. Rejects with a StorageError when the peer fails or lies about the shape. */
export type FetchChunk = (
  chunk: number,
  segments: readonly number[],
  signal: AbortSignal,
) => Promise<{ readonly shape: ChunkShape; readonly segments: AsyncIterable<Segment> }>;

/** Rows (segment indices) wanted of each data chunk. */
export type WantedRows = ReadonlyMap<number, ReadonlySet<number>>;

interface Request {
  readonly rows: ReadonlySet<number>;
  readonly abort: AbortController;
  readonly settled: Promise<void>;
}

/** A source this many times slower than the k-th fastest is passed over while others are left… */
const SLOW_FACTOR = 4;
/** …but only when it is also slower than this: below it the difference is noise. */
const SLOW_MS_PER_MIB = 40;

/** Sources that the final error names. */
const NAMED_FAILURES = 6;

const ABSENT = 0;
const FETCHED = 1;
const REBUILT = 2;

/**
 * Brings rows of a stripe's data chunks into a buffer: from the data chunks themselves where they answer, else from any k
 * chunks of the same rows. A slow source is hedged by another request, a failed one replaced at once; whoever comes first
 * wins and the rest is cancelled. A source that failed in a passing way is asked again while the others do not suffice.
 */
export class StripeFetch {
  readonly #sources: StripeSources;
  readonly #buffer: StripeBuffer;
  readonly #fetch: FetchChunk;
  /** For each chunk, what is known of each of its rows. */
  readonly #state: readonly Uint8Array[];
  readonly #shapes = new Map<number, ChunkShape>();
  readonly #active = new Map<number, Request>();
  readonly #standings: Standings;
  readonly #late = new Set<number>();
  #moved = 0;

  constructor(sources: StripeSources, buffer: StripeBuffer, fetch: FetchChunk) {
    this.#sources = sources;
    this.#buffer = buffer;
    this.#fetch = fetch;
    this.#standings = new Standings(sources.pace.length);
    const rows = segmentCount(sources.chunkBytes);
    this.#state = sources.pace.map(() => new Uint8Array(rows));
    // k are needed anyway: against the own disk alone, every peer of a slow network would count as slow.
    const usual = sources.pace.toSorted((a, b) => a - b)[sources.k - 1] ?? Number.POSITIVE_INFINITY;
    for (const [chunk, pace] of sources.pace.entries()) {
      if (pace === Number.POSITIVE_INFINITY || pace > Math.max(usual * SLOW_FACTOR, SLOW_MS_PER_MIB))
        this.#late.add(chunk);
    }
  }

  /**
   * @throws StorageError UNAVAILABLE when fewer than k chunks of some row can be had; `signal.reason` on abort
   */
  async load(wanted: WantedRows, signal: AbortSignal): Promise<void> {
    try {
      while (!this.#rebuildable(wanted)) {
        signal.throwIfAborted();
        this.#request(wanted, signal);
        await this.#progress(wanted, signal);
      }
      this.#rebuild(wanted);
    } finally {
      this.#standings.stop();
      await this.#cancel();
    }
  }

  /**
   * Looks for the culprit when the seal of what was loaded does not hold: checks every fetched segment of these rows
   * against its chunk's hash list, and forgets the wrong ones, so that the next `load` gets those rows from others. A
   * source with too many of them is not asked for anything again.
   *
   * @param onLiar told of each such chunk, once
   * @returns the chunks and rows that were wrong; empty when all are what their chunk ids say
   */
  discardCorrupt(rows: Iterable<number>, onLiar?: (chunk: number) => void): Map<number, number[]> {
    const wrong = new StorageError('CORRUPT', 'its segments do not match their hashes.');
    const liars = new Set<number>();
    const culprits = new Map<number, number[]>();
    for (const row of rows) {
      for (const [chunk, state] of this.#state.entries()) {
        const shape = this.#shapes.get(chunk);
        if (
          state[row] === FETCHED &&
          (shape === undefined || !segmentIsIntact(shape, { index: row, bytes: this.#row(chunk, row) }))
        ) {
          culprits.set(chunk, [...(culprits.get(chunk) ?? []), row]);
          state[row] = ABSENT;
          if (this.#standings.foundWrong(chunk, row, wrong)) liars.add(chunk);
        }
      }
    }
    // What was rebuilt from a wrong row is wrong too.
    for (const row of new Set([...culprits.values()].flat())) {
      for (const state of this.#state) if (state[row] === REBUILT) state[row] = ABSENT;
    }
    for (const liar of liars) onLiar?.(liar);
    return culprits;
  }

  #row(chunk: number, row: number): Uint8Array {
    return this.#buffer.chunk(chunk).subarray(...segmentRange(this.#sources.chunkBytes, row));
  }

  /** Rows that some wanted data chunk lacks, with the chunks that lack them. */
  *#missing(wanted: WantedRows): Generator<{ row: number; chunk: number }> {
    for (const [chunk, rows] of wanted)
      for (const row of rows) if (this.#state[chunk]?.[row] === ABSENT) yield { row, chunk };
  }

  #present(row: number): number[] {
    return [...this.#state.keys()].filter((chunk) => this.#state[chunk]?.[row] === FETCHED);
  }

  #rebuildable(wanted: WantedRows): boolean {
    for (const { row } of this.#missing(wanted)) if (this.#present(row).length < this.#sources.k) return false;
    return true;
  }

  /** Asks wanted data chunks for their rows, and further chunks for those rows whose data chunk failed or is late. */
  #request(wanted: WantedRows, signal: AbortSignal): void {
    const doubtful = new Set<number>();
    const direct = new Map<number, Set<number>>();
    for (const { row, chunk } of this.#missing(wanted)) {
      const unfit = this.#standings.hasFailed(chunk) || this.#standings.isWrong(chunk, row);
      if (unfit || this.#late.has(chunk)) doubtful.add(row);
      else direct.set(chunk, (direct.get(chunk) ?? new Set()).add(row));
    }
    for (const [chunk, rows] of direct) if (!this.#active.has(chunk)) this.#start(chunk, rows, signal);
    this.#requestSpares(doubtful, signal);
  }

  #requestSpares(rows: ReadonlySet<number>, signal: AbortSignal): void {
    const spares = this.#ranking();
    for (;;) {
      const short = [...rows].filter((row) => this.#expected(row) < this.#sources.k);
      if (short.length === 0) return;
      const chunk = spares.shift();
      if (chunk === undefined) return;
      const asked = short.filter(
        (row) => this.#state[chunk]?.[row] !== FETCHED && !this.#standings.isWrong(chunk, row),
      );
      if (asked.length > 0) this.#start(chunk, new Set(asked), signal);
    }
  }

  /** Chunks that may be asked: the fastest first, then those that are late, last those that have failed before. */
  #ranking(): number[] {
    const { pace } = this.#sources;
    const rank = (chunk: number): number =>
      Number(this.#late.has(chunk)) + 2 * Number(this.#standings.hasFailed(chunk));
    return [...pace.keys()]
      .filter((chunk) => this.#standings.mayBeAsked(chunk) && !this.#active.has(chunk))
      .sort((a, b) => rank(a) - rank(b) || (pace[a] ?? 0) - (pace[b] ?? 0) || a - b);
  }

  /** Chunks whose row is here or on its way, not counting late ones: they are what spares are for. */
  #expected(row: number): number {
    let count = 0;
    for (const [chunk, state] of this.#state.entries()) {
      const coming = this.#active.get(chunk)?.rows.has(row) === true && !this.#late.has(chunk);
      if (state[row] === FETCHED || coming) count++;
    }
    return count;
  }

  #start(chunk: number, rows: ReadonlySet<number>, signal: AbortSignal): void {
    const abort = new AbortController();
    const run = async (): Promise<void> => {
      try {
        const found = await this.#fetch(
          chunk,
          [...rows].sort((a, b) => a - b),
          AbortSignal.any([signal, abort.signal]),
        );
        this.#shapes.set(chunk, found.shape);
        if (found.shape.bytes !== this.#sources.chunkBytes)
          throw new StorageError('CORRUPT', 'The chunk has another length than its stripe.');
        for await (const segment of found.segments) this.#take(chunk, segment);
        this.#late.delete(chunk);
      } catch (error) {
        if (!abort.signal.aborted) this.#standings.failed(chunk, wrapError(error, 'Fetching a chunk'));
      } finally {
        this.#active.delete(chunk);
      }
    };
    this.#active.set(chunk, { rows, abort, settled: run() });
  }

  #take(chunk: number, { index, bytes }: Segment): void {
    this.#row(chunk, index).set(bytes);
    const state = this.#state[chunk];
    assert(state !== undefined, `chunk ${String(chunk)} of the stripe`);
    state[index] = FETCHED;
    this.#moved++;
  }

  /**
   * Resolves when a request settles, when a source that failed may be asked again, or when nothing has moved for a while:
   * then everything under way counts as late.
   */
  async #progress(wanted: WantedRows, signal: AbortSignal): Promise<void> {
    const rested = this.#standings.rested();
    if (this.#active.size === 0 && rested === undefined) throw this.#tooFew(wanted);
    const before = this.#moved;
    const quiet = quietTimer(signal);
    try {
      const settled = await Promise.race([
        ...[...this.#active.values()].map(({ settled }) => settled.then(() => true)),
        ...(rested === undefined ? [] : [rested]),
        quiet.elapsed,
      ]);
      if (!settled && this.#moved === before) for (const chunk of this.#active.keys()) this.#late.add(chunk);
      else if (!settled) this.#markStragglers();
    } finally {
      quiet.stop();
    }
  }

  /** Something moved, but not everything: the requests that are furthest behind are hedged. */
  #markStragglers(): void {
    const share = new Map(
      [...this.#active].map(([chunk, { rows }]) => [chunk, this.#arrived(chunk, rows) / rows.size]),
    );
    const best = Math.max(...share.values());
    for (const [chunk, done] of share) if (done < best / 2) this.#late.add(chunk);
  }

  #arrived(chunk: number, rows: ReadonlySet<number>): number {
    let count = 0;
    for (const row of rows) if (this.#state[chunk]?.[row] === FETCHED) count++;
    return count;
  }

  #tooFew(wanted: WantedRows): StorageError {
    const { k, pace, sources, stripe } = this.#sources;
    const left = Math.min(...[...this.#missing(wanted)].map(({ row }) => this.#present(row).length));
    const failures = this.#standings.failures();
    const reasons = failures.slice(0, NAMED_FAILURES).map(({ chunk, why }) => {
      return `${sources[chunk]?.name ?? `chunk ${String(chunk)}`}: ${why}`;
    });
    const more = failures.length - reasons.length;
    return new StorageError(
      'UNAVAILABLE',
      `Only ${String(left)} of the ${String(pace.length)} chunks of stripe ${stripe.slice(0, 12)}… can be had, and ${String(k)} are needed. ${reasons.join(' ')}${more > 0 ? ` And ${String(more)} more.` : ''} Start the peers that do not answer and try again.`,
    );
  }

  /** Computes the missing wanted rows, runs of rows with the same sources at once. */
  #rebuild(wanted: WantedRows): void {
    const { k, chunkBytes } = this.#sources;
    const rows = new Map<number, number[]>();
    for (const { row, chunk } of this.#missing(wanted)) rows.set(row, [...(rows.get(row) ?? []), chunk]);
    for (const [row, chunks] of rows) {
      const [start, end] = segmentRange(chunkBytes, row);
      this.#buffer.reconstruct(this.#present(row).slice(0, k), chunks, { start, end });
      for (const chunk of chunks) {
        const state = this.#state[chunk];
        if (state !== undefined) state[row] = REBUILT;
      }
    }
  }

  async #cancel(): Promise<void> {
    const requests = [...this.#active.values()];
    for (const { abort } of requests) abort.abort(new StorageError('CANCELLED', 'Another source was faster.'));
    await Promise.all(requests.map(({ settled }) => settled));
  }
}

function quietTimer(signal: AbortSignal): { readonly elapsed: Promise<false>; stop(): void } {
  let stop = (): void => undefined;
  const elapsed = new Promise<false>((resolve) => {
    const timer = setTimeout(resolve, HEDGE_AFTER_MS, false);
    const stopListening = onAbort(signal, () => {
      resolve(false);
    });
    stop = () => {
      clearTimeout(timer);
      stopListening();
    };
  });
  return { elapsed, stop };
}
