import { onAbort } from '../on-abort.js';

/** Lets so many calls begin; the others wait in order, until one of those has ended. */
export class CallTurns {
  #free: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  /** @returns to be called when the call has ended; again without effect. @throws the signal's reason */
  async begin(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let hasEnded = false;
    return () => {
      if (!hasEnded) this.#pass();
      hasEnded = true;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        stop();
        resolve();
      };
      const stop = onAbort(signal, () => {
        this.#waiting.delete(begin);
        reject(signal.reason as Error);
      });
      this.#waiting.add(begin);
    });
  }

  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
