import { segmentCount, segmentIsIntact, segmentRange, type ChunkShape, type Segment } from '../../chunk/segments.js';
import type { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { assert, StorageError, wrapError } from '../../errors.js';
import { HEDGE_AFTER_MS } from '../../limits.js';
import { onAbort } from '../../on-abort.js';

/** What is known of the stripe before it is fetched. */
export interface StripeSources {
  readonly k: number;
  readonly chunkBytes: number;
  /** Milliseconds per MiB lately, for each of the n chunks; Infinity = seems down or nobody holds it. */
  readonly pace: readonly number[];
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

const ABSENT = 0;
const FETCHED = 1;
const REBUILT = 2;

/**
 * Brings rows of a stripe's data chunks into a buffer: from the data chunks themselves where they answer, else from any k
 * chunks of the same rows. A slow source is hedged by another request, a failed one replaced at once; whoever comes first
 * wins and the rest is cancelled.
 */
export class StripeFetch {
  readonly #sources: StripeSources;
  readonly #buffer: StripeBuffer;
  readonly #fetch: FetchChunk;
  /** For each chunk, what is known of each of its rows. */
  readonly #state: readonly Uint8Array[];
  readonly #shapes = new Map<number, ChunkShape>();
  readonly #active = new Map<number, Request>();
  readonly #failures = new Map<number, StorageError>();
  readonly #late = new Set<number>();
  #moved = 0;

  constructor(sources: StripeSources, buffer: StripeBuffer, fetch: FetchChunk) {
    this.#sources = sources;
    this.#buffer = buffer;
    this.#fetch = fetch;
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
        await this.#progress(signal);
      }
      this.#rebuild(wanted);
    } finally {
      await this.#cancel();
    }
  }

  /**
   * Looks for the culprit when the seal of what was loaded does not hold: checks every fetched segment of these rows
   * against its chunk's hash list, and forgets the wrong ones, so that the next `load` gets them elsewhere.
   *
   * @returns the chunks and rows that were wrong; empty when all are what their chunk ids say
   */
  discardCorrupt(rows: Iterable<number>): Map<number, number[]> {
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
          this.#failures.set(chunk, new StorageError('CORRUPT', 'Its segments do not match their hashes.'));
        }
      }
    }
    // What was rebuilt from a wrong row is wrong too.
    for (const row of new Set([...culprits.values()].flat())) {
      for (const state of this.#state) if (state[row] === REBUILT) state[row] = ABSENT;
    }
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
      if (this.#failures.has(chunk) || this.#late.has(chunk)) doubtful.add(row);
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
      const asked = short.filter((row) => this.#state[chunk]?.[row] !== FETCHED);
      if (asked.length > 0) this.#start(chunk, new Set(asked), signal);
    }
  }

  /** Chunks that may be asked: the fastest first, those that are late last. */
  #ranking(): number[] {
    const { pace } = this.#sources;
    return [...pace.keys()]
      .filter((chunk) => !this.#failures.has(chunk) && !this.#active.has(chunk))
      .sort(
        (a, b) => Number(this.#late.has(a)) - Number(this.#late.has(b)) || (pace[a] ?? 0) - (pace[b] ?? 0) || a - b,
      );
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
        if (!abort.signal.aborted) this.#failures.set(chunk, wrapError(error, 'Fetching a chunk'));
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

  /** Resolves when a request settles, or when nothing has moved for a while: then everything under way counts as late. */
  async #progress(signal: AbortSignal): Promise<void> {
    if (this.#active.size === 0) throw this.#tooFew();
    const before = this.#moved;
    const quiet = quietTimer(signal);
    try {
      const settled = await Promise.race([
        ...[...this.#active.values()].map(({ settled }) => settled.then(() => true)),
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

  #tooFew(): StorageError {
    const { k, pace } = this.#sources;
    const reasons = [...new Set([...this.#failures.values()].map(({ message }) => message))].slice(0, 3).join(' ');
    const left = pace.length - this.#failures.size;
    return new StorageError(
      'UNAVAILABLE',
      `Only ${String(left)} of the ${String(pace.length)} chunks of a stripe can be had, and ${String(k)} are needed. Start the peers that are down and try again. ${reasons}`.trimEnd(),
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
