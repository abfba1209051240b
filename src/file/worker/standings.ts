import { assert, ERRORS, type StorageError } from '../../errors.js';
import { FETCH_PATIENCE_MS, FETCH_RETRY_DELAYS_MS, MAX_ROTTEN_SEGMENTS } from '../../limits.js';

interface Standing {
  /** Why it failed the last time. */
  failure: StorageError | undefined;
  tries: number;
  /** Not asked again for this stripe. */
  dropped: boolean;
  rest: NodeJS.Timeout | undefined;
  readonly wrongRows: Set<number>;
}

/**
 * How the holders of one stripe's chunks have behaved while it was fetched. A failure that may pass costs a rest, each longer
 * than the last; any other, or too many wrong segments, costs the holder its part in this stripe.
 */
export class Standings {
  readonly #standings: readonly Standing[];
  #wake: (() => void) | undefined;
  #patience: NodeJS.Timeout | undefined;
  #impatient = false;

  constructor(chunks: number) {
    this.#standings = Array.from({ length: chunks }, () => ({
      failure: undefined,
      tries: 0,
      dropped: false,
      rest: undefined,
      wrongRows: new Set(),
    }));
  }

  failed(chunk: number, error: StorageError): void {
    const standing = this.#of(chunk);
    standing.failure = error;
    this.#patience ??= setTimeout(() => (this.#impatient = true), FETCH_PATIENCE_MS);
    const restMs = FETCH_RETRY_DELAYS_MS[standing.tries++];
    if (!ERRORS[error.code].retryable || restMs === undefined || this.#impatient) {
      standing.dropped = true;
      return;
    }
    standing.rest = setTimeout(() => {
      standing.rest = undefined;
      this.#wake?.();
    }, restMs);
  }

  /** Its segment in this row is not the one of the chunk. @returns true when that was one too many */
  foundWrong(chunk: number, row: number, error: StorageError): boolean {
    const standing = this.#of(chunk);
    standing.wrongRows.add(row);
    if (standing.wrongRows.size <= MAX_ROTTEN_SEGMENTS) return false;
    standing.failure = error;
    standing.dropped = true;
    return true;
  }

  hasFailed(chunk: number): boolean {
    return this.#of(chunk).failure !== undefined;
  }

  mayBeAsked(chunk: number): boolean {
    const { dropped, rest } = this.#of(chunk);
    return !dropped && rest === undefined;
  }

  isWrong(chunk: number, row: number): boolean {
    return this.#of(chunk).wrongRows.has(row);
  }

  /** Resolves when the next one has rested; undefined when none is resting. */
  rested(): Promise<true> | undefined {
    if (!this.#standings.some(({ rest }) => rest !== undefined)) return undefined;
    return new Promise((resolve) => {
      this.#wake = () => {
        resolve(true);
      };
    });
  }

  /** Who failed, and why. */
  failures(): { readonly chunk: number; readonly why: string }[] {
    return this.#standings.flatMap(({ failure, wrongRows }, chunk) => {
      if (failure !== undefined) return [{ chunk, why: failure.message }];
      return wrongRows.size > 0 ? [{ chunk, why: 'a part of its chunk is damaged.' }] : [];
    });
  }

  /** Ends every rest and gives patience anew. What was learnt stays. */
  stop(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#impatient = false;
    for (const standing of this.#standings) {
      clearTimeout(standing.rest);
      standing.rest = undefined;
    }
  }

  #of(chunk: number): Standing {
    const standing = this.#standings[chunk];
    assert(standing !== undefined, `chunk ${String(chunk)} of the stripe`);
    return standing;
  }
}
