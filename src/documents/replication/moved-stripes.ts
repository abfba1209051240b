import { StorageError } from '../../errors.js';
import type { LevelDatabase } from '../level-database.js';
import type { CouchEndpoint } from './couch-endpoint.js';
import type { Checkpoint, Endpoint, FeedPage, FeedRequest, NamedRevisions, ReadBatch } from './endpoint.js';
import type { MovesAgain } from './moves-again.js';

/** src/catalog/records/stripe-move.ts */
const MOVE = /^move-([0-9a-f]{64})-/;
/** Of one stripe, sixteen for each of MAX_STRIPE_CHUNKS, and revisions of its document: whoever writes more spoils one stripe. */
const MAX_MOVES = 1_024;
/** Told of beside one page, 3 MB of ids and revisions; and once more what ASKED_AT_ONCE stripes have. */
const MAX_BESIDE = 20_000;
/** Stripes that a host is asked for at once. */
const ASKED_AT_ONCE = 8;

/**
 * The database `stripes` of a host, for a peer that pulls what concerns it. The document of a stripe names the peers that it
 * was stored at, and never changes; who gets a chunk later is named by a move. So where a move comes of a stripe of which
 * nothing is here, not even that it was forgotten, the stripe's document and its other moves are told of beside. They come
 * as all do then, and are judged as all are.
 */
export class MovedStripes implements Endpoint {
  readonly #host: CouchEndpoint;
  readonly #here: Pick<LevelDatabase, 'winners'>;
  readonly #again: MovesAgain;
  /** What the last page told of beside. */
  #told: Told = { first: [], again: [], atMs: 0 };

  constructor(host: CouchEndpoint, here: Pick<LevelDatabase, 'winners'>, again: MovesAgain) {
    this.#host = host;
    this.#here = here;
    this.#again = again;
  }

  async feed(request: FeedRequest): Promise<FeedPage> {
    this.#settle();
    const { signal, waitMs } = request;
    const page = await this.#host.feed({ ...request, waitMs: Math.min(waitMs, this.#again.waitMs()) });
    const unknown = new Set(await this.#unknown(page));
    const due = this.#again.due().filter((stripe) => !unknown.has(stripe));
    const stripes = [...unknown, ...due];
    const atMs = performance.now();
    const beside: NamedRevisions[] = [];
    let [asked, revisions] = [0, 0];
    while (asked < stripes.length && revisions < MAX_BESIDE) {
      const some = stripes.slice(asked, asked + ASKED_AT_ONCE);
      const found = (await Promise.all(some.map((stripe) => this.#documents(stripe, signal)))).flat();
      beside.push(...found);
      revisions += found.reduce((sum, { revs }) => sum + revs.length, 0);
      asked += some.length;
    }
    for (const stripe of stripes.slice(asked)) if (unknown.has(stripe)) this.#again.postpone(stripe);
    const looked = stripes.slice(0, asked);
    this.#told = {
      first: looked.filter((stripe) => unknown.has(stripe)),
      again: looked.filter((stripe) => !unknown.has(stripe)),
      atMs,
    };
    return { ...page, beside };
  }

  /** Whoever asks for another page has copied the one before: of a session that failed no look counts. */
  #settle(): void {
    const { first, again, atMs } = this.#told;
    for (const stripe of first) this.#again.add(stripe, atMs);
    for (const stripe of again) this.#again.looked(stripe, atMs);
    this.#told = { first: [], again: [], atMs };
  }

  missing(changes: readonly NamedRevisions[], signal: AbortSignal): Promise<readonly NamedRevisions[]> {
    return this.#host.missing(changes, signal);
  }

  read(wanted: readonly NamedRevisions[], signal: AbortSignal): AsyncIterable<ReadBatch> {
    return this.#host.read(wanted, signal);
  }

  write(...written: Parameters<Endpoint['write']>): ReturnType<Endpoint['write']> {
    return this.#host.write(...written);
  }

  checkpoint(id: string, signal: AbortSignal): Promise<Checkpoint | undefined> {
    return this.#host.checkpoint(id, signal);
  }

  setCheckpoint(id: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<void> {
    return this.#host.setCheckpoint(id, checkpoint, signal);
  }

  /** Stripes that were moved, and of which this page does not tell otherwise. */
  async #unknown({ changes }: FeedPage): Promise<readonly string[]> {
    const told = new Set(changes.map(({ id }) => id));
    const moved = new Set(changes.flatMap(({ id }) => MOVE.exec(id)?.[1] ?? []));
    const asked = [...moved].filter((stripe) => !told.has(documentOf(stripe)));
    if (asked.length === 0) return [];
    const known = await this.#here.winners(asked.map(documentOf));
    return asked.filter((stripe) => !known.has(documentOf(stripe)));
  }

  /** All or nothing: a stripe's document without its moves places chunks where they are not any more. So it comes last. */
  async #documents(stripe: string, signal: AbortSignal): Promise<readonly NamedRevisions[]> {
    try {
      const stored = await this.#host.leaves(documentOf(stripe), signal);
      const moves = await this.#host.listing(`move-${stripe}-`, MAX_MOVES + 1, signal);
      return Math.max(stored.revs.length, moves.length) > MAX_MOVES ? [] : [...moves, stored];
    } catch (error) {
      // It was never there, or somebody has spoiled it: no reason to leave the others.
      if (StorageError.is(error, 'NOT_FOUND', 'CORRUPT', 'LIMIT_EXCEEDED')) return [];
      throw error;
    }
  }
}

/** Stripes, by whether they were looked at for the first time. */
interface Told {
  readonly first: readonly string[];
  readonly again: readonly string[];
  /** By the monotonic clock. */
  readonly atMs: number;
}

function documentOf(stripe: string): string {
  return `stripe-${stripe}`;
}
