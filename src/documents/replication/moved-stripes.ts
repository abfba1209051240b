import { StorageError } from '../../errors.js';
import type { LevelDatabase } from '../level-database.js';
import type { CouchEndpoint } from './couch-endpoint.js';
import type { Checkpoint, Endpoint, FeedPage, FeedRequest, NamedRevisions, ReadBatch } from './endpoint.js';
import type { MovesAgain } from './moves-again.js';

/** src/catalog/records/stripe-move.ts */
const MOVE = /^move-([0-9a-f]{64})-/;
/** Of one stripe, sixteen for each of MAX_STRIPE_CHUNKS: whoever writes more spoils one stripe. */
const MAX_MOVES = 1_024;
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

  constructor(host: CouchEndpoint, here: Pick<LevelDatabase, 'winners'>, again: MovesAgain) {
    this.#host = host;
    this.#here = here;
    this.#again = again;
  }

  async feed(request: FeedRequest): Promise<FeedPage> {
    const { signal, waitMs } = request;
    const page = await this.#host.feed({ ...request, waitMs: Math.min(waitMs, this.#again.waitMs()) });
    const unknown = await this.#unknown(page);
    const stripes = [...new Set([...unknown, ...this.#again.take()])];
    const beside: NamedRevisions[] = [];
    for (let at = 0; at < stripes.length; at += ASKED_AT_ONCE) {
      const some = stripes.slice(at, at + ASKED_AT_ONCE);
      beside.push(...(await Promise.all(some.map((stripe) => this.#documents(stripe, signal)))).flat());
    }
    for (const stripe of unknown) this.#again.add(stripe);
    return { ...page, beside };
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

  /** All or nothing: a stripe's document without its moves places chunks where they are not any more. */
  async #documents(stripe: string, signal: AbortSignal): Promise<readonly NamedRevisions[]> {
    try {
      const stored = await this.#host.current(documentOf(stripe), signal);
      return [stored, ...(await this.#host.listing(`move-${stripe}-`, MAX_MOVES, signal))];
    } catch (error) {
      // It was forgotten, or somebody has spoiled it: no reason to leave the others.
      if (StorageError.is(error, 'NOT_FOUND', 'CORRUPT', 'LIMIT_EXCEEDED')) return [];
      throw error;
    }
  }
}

function documentOf(stripe: string): string {
  return `stripe-${stripe}`;
}
