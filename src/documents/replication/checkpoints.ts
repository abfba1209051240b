import { StorageError } from '../../errors.js';
import { MAX_CHECKPOINT_SESSIONS, MAX_SEQUENCE_CHARS } from '../../limits.js';
import type { Checkpoint, CheckpointEntry, Endpoint } from './endpoint.js';

export const BEGINNING = '0';

function isEntry(value: unknown): value is CheckpointEntry {
  const { session, count, last } = Object(value) as Partial<Record<keyof CheckpointEntry, unknown>>;
  if (typeof session !== 'string' || session.length > 64) return false;
  return Number.isSafeInteger(count) && typeof last === 'string' && last.length <= MAX_SEQUENCE_CHARS;
}

/** What a database holds under the id of a checkpoint; anybody may have written it. */
export function parseCheckpoint(document: unknown): Checkpoint | undefined {
  const { history } = Object(document) as { history?: unknown };
  if (!Array.isArray(history)) return undefined;
  return { history: history.slice(0, MAX_CHECKPOINT_SESSIONS).filter(isEntry) };
}

/**
 * Where both sides agree that they were. A side that was wiped or restored from an older copy does not know the newest
 * session, or knows less of it; then the last one that both know decides, and the earlier of its two places, because only
 * what was before both is certainly there.
 */
export function commonSequence(ours: Checkpoint | undefined, theirs: Checkpoint | undefined): string {
  for (const mine of ours?.history ?? []) {
    const same = theirs?.history.find(({ session }) => session === mine.session);
    if (same !== undefined) return same.count < mine.count ? same.last : mine.last;
  }
  return BEGINNING;
}

function headOf(checkpoint: Checkpoint | undefined): string {
  const [head] = checkpoint?.history ?? [];
  return head === undefined ? '' : `${head.session} ${String(head.count)}`;
}

/** Writes down, on both sides, how far a replication is. */
export class Checkpoints {
  readonly #id: string;
  readonly #sides: readonly Endpoint[];
  readonly #session: string;
  #former: readonly CheckpointEntry[] = [];
  #count = 0;
  /** The newest entry of each side, as this run knows it. */
  #heads: readonly string[] = [];

  /** @param session random, new for every run */
  constructor(id: string, sides: { readonly here: Endpoint; readonly there: Endpoint }, session: string) {
    this.#id = id;
    this.#sides = [sides.here, sides.there];
    this.#session = session;
  }

  /** @returns where to go on. Whatever the host says, nothing is passed over that this side did not note itself. */
  async read(signal: AbortSignal): Promise<string> {
    const found = await this.#found(signal);
    this.#heads = found.map(headOf);
    const [ours, theirs] = found;
    this.#former = (ours?.history ?? []).filter(({ session }) => session !== this.#session);
    return commonSequence(ours, theirs);
  }

  /**
   * A host may be wiped, or restored from an older copy, while a push has nothing to tell it: what it was given before is
   * then not there any more, whatever is written next.
   *
   * @throws StorageError CONFLICT when a side is not where this run left it; the next run asks both again
   */
  async verify(signal: AbortSignal): Promise<void> {
    const heads = (await this.#found(signal)).map(headOf);
    if (heads.every((head, at) => head === this.#heads[at])) return;
    throw new StorageError('CONFLICT', 'The place of this replication changed: a database was put back, or made anew.');
  }

  /** @throws StorageError as `verify` */
  async write(last: string, signal: AbortSignal): Promise<void> {
    await this.verify(signal);
    this.#count++;
    const entry = { session: this.#session, count: this.#count, last };
    const history = [entry, ...this.#former].slice(0, MAX_CHECKPOINT_SESSIONS);
    await Promise.all(this.#sides.map((side) => side.setCheckpoint(this.#id, { history }, signal)));
    this.#heads = this.#sides.map(() => headOf({ history }));
  }

  #found(signal: AbortSignal): Promise<(Checkpoint | undefined)[]> {
    return Promise.all(this.#sides.map((side) => side.checkpoint(this.#id, signal)));
  }
}
