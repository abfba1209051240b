import { onAbort } from '../on-abort.js';

interface Waiter {
  enter(): void;
}

/** At most `places` holders at once; others wait in order of arrival. */
export class Gate {
  readonly #places: number;
  #holders = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(places: number) {
    this.#places = places;
  }

  get idle(): boolean {
    return this.#holders === 0;
  }

  /** @returns call it once, to leave. An abort while waiting rejects with `signal.reason`. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#holders < this.#places) this.#holders += 1;
    else await this.#wait(signal);
    return () => {
      this.#leave();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const ignore = onAbort(signal, () => {
        this.#waiting.delete(waiter);
        reject(signal.reason as Error);
      });
      const waiter: Waiter = {
        enter: () => {
          ignore();
          this.#waiting.delete(waiter);
          resolve();
        },
      };
      this.#waiting.add(waiter);
    });
  }

  /** Hands the place on rather than freeing it, so that nobody overtakes those who wait. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      next.enter();
      return;
    }
    this.#holders -= 1;
  }
}

/** One holder at once for each key. */
export class KeyedGate<Key> {
  readonly #gates = new Map<Key, Gate>();

  async enter(key: Key, signal: AbortSignal): Promise<() => void> {
    const gate = this.#gates.get(key) ?? new Gate(1);
    this.#gates.set(key, gate);
    try {
      const leave = await gate.enter(signal);
      return () => {
        leave();
        this.#forget(key, gate);
      };
    } catch (error) {
      this.#forget(key, gate);
      throw error;
    }
  }

  #forget(key: Key, gate: Gate): void {
    if (gate.idle) this.#gates.delete(key);
  }
}
