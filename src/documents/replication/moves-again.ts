/** After the last look. A slow line makes a rebuild last for minutes; after that those who repair have heard of each other. */
const PAUSES_MS = [30_000, 10 * 60_000] as const;
/** Stripes that wait: 2 MiB. Of further ones a chunk that two have moved at once may lie at one peer too many. */
const MAX_WAITING = 10_000;

interface Look {
  /** By the monotonic clock. */
  readonly dueMs: number;
  /** How often it was looked again before. */
  readonly looks: number;
}

/**
 * Stripes whose moves are to be looked at again. Two peers that repair a stripe at once give its chunk to two others, and each
 * writes a move that names its own target, and not the other's: whoever got the chunk of the earlier move hears of the
 * later one by looking only.
 */
export class MovesAgain {
  readonly #waiting = new Map<string, Look>();

  /** It was looked at for the first time. */
  add(stripe: string): void {
    this.#plan(stripe, 0);
  }

  /** Those that are due, which counts as a look. */
  take(): readonly string[] {
    const nowMs = performance.now();
    const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= nowMs);
    for (const [stripe, { looks }] of due) this.#plan(stripe, looks + 1);
    return due.map(([stripe]) => stripe);
  }

  /** Until the next one is due; Infinity when none waits. */
  waitMs(): number {
    const nextMs = Math.min(...[...this.#waiting.values()].map(({ dueMs }) => dueMs));
    return Math.max(0, Math.ceil(nextMs - performance.now()));
  }

  #plan(stripe: string, looks: number): void {
    this.#waiting.delete(stripe);
    const pauseMs = PAUSES_MS[looks];
    if (pauseMs === undefined || this.#waiting.size === MAX_WAITING) return;
    this.#waiting.set(stripe, { dueMs: performance.now() + pauseMs, looks });
  }
}
