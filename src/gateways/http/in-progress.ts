import { setTimeout as delay } from 'node:timers/promises';

/** Work that outlives the request that began it. */
export class InProgress {
  readonly #work = new Set<Promise<unknown>>();

  /** @returns the same promise */
  readonly track = <T>(work: Promise<T>): Promise<T> => {
    const forget = (): void => void this.#work.delete(work);
    work.then(forget, forget);
    this.#work.add(work);
    return work;
  };

  /** Resolves when all of it has ended, well or not, or after this long. */
  async ended(withinMs: number): Promise<void> {
    const enough = new AbortController();
    const late = delay(withinMs, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#work), late]);
    enough.abort();
  }
}
