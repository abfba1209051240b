import { setTimeout as delay } from 'node:timers/promises';

/** Work that outlives the request that began it. */
export class InProgress {
  readonly #work = new Set<Promise<unknown>>();
  #refusal: Error | undefined;

  /** @returns the same promise */
  readonly track = <T>(work: Promise<T>): Promise<T> => {
    const forget = (): void => void this.#work.delete(work);
    work.then(forget, forget);
    this.#work.add(work);
    return work;
  };

  /** From now on nothing new begins. @throws the refusal, where it would */
  refuse(refusal: Error): void {
    this.#refusal = refusal;
  }

  /** Whoever is about to begin something asks first. */
  readonly admit = (): void => {
    if (this.#refusal !== undefined) throw this.#refusal;
  };

  /** Resolves when all of it has ended, well or not, or after this long. */
  async ended(withinMs: number): Promise<void> {
    await settled(this.#work, withinMs);
  }
}

/** Resolves when all have ended, well or not, or after this long. */
export async function settled(work: Iterable<Promise<unknown>>, withinMs: number): Promise<void> {
  const enough = new AbortController();
  const late = delay(withinMs, undefined, { signal: enough.signal }).catch(() => undefined);
  await Promise.race([Promise.allSettled(work), late]);
  enough.abort();
}
