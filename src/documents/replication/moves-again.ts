/** After the last look. A slow line makes a rebuild last for minutes; after that those who repair have heard of each other. */
const PAUSES_MS = [30_000, 10 * 60_000] as const;
/** Stripes that wait: 2 MiB. Of further ones no record may come, or a chunk that two have moved at once lie at one peer too many. */
const MAX_WAITING = 10_000;
/** Stripes that are due at once: each has up to a thousand moves. */
const MAX_DUE = 64;

interface Look {
  /** By the monotonic clock. */
  readonly dueMs: number;
  /** How often it was looked again before; -1: it was not looked at yet. */
  readonly looks: number;
}

/**
 * Stripes whose moves are to be looked at again. Two peers that repair a stripe at once give its chunk to two others, and each
 * writes a move that names its own target, and not the other's: whoever got the chunk of the earlier move hears of the
 * later one by looking only.
 */
export class MovesAgain {
  readonly #waiting = new Map<string, Look>();

  /** It was looked at for the first time. @param atMs by the monotonic clock */
  add(stripe: string, atMs: number): void {
    this.#plan(stripe, 0, atMs);
  }

  /** It is to be looked at for the first time, soon. */
  postpone(stripe: string): void {
    if (!this.#waiting.has(stripe)) this.#wait(stripe, { dueMs: performance.now(), looks: -1 });
  }

  /** Some of those that are to be looked at now; they are so until somebody has. */
  due(): readonly string[] {
    const nowMs = performance.now();
    const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= nowMs);
    return due.slice(0, MAX_DUE).map(([stripe]) => stripe);
  }

  /** One that was due. */
  looked(stripe: string, atMs: number): void {
    const look = this.#waiting.get(stripe);
    if (look !== undefined) this.#plan(stripe, look.looks + 1, atMs);
  }

  /** Until the next one is due; Infinity when none waits. */
  waitMs(): number {
    const nextMs = Math.min(...[...this.#waiting.values()].map(({ dueMs }) => dueMs));
    return Math.max(0, Math.ceil(nextMs - performance.now()));
  }

  #plan(stripe: string, looks: number, atMs: number): void {
    this.#waiting.delete(stripe);
    const pauseMs = PAUSES_MS[looks];
    if (pauseMs !== undefined) this.#wait(stripe, { dueMs: atMs + pauseMs, looks });
  }

  #wait(stripe: string, look: Look): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(stripe, look);
  }
}
