import { onAbort } from '../on-abort.js';

/** What a stripe is worked on for. */
export type Work = 'put' | 'get';

export interface TurnsOptions {
  /** Stripes of either kind of work at once. */
  readonly each: number;
  /** Stripes of both together: above `each`, so that gets find a place beside puts whose peers are slow, and puts beside gets. */
  readonly together: number;
}

interface Waiter {
  readonly work: Work;
  readonly start: () => void;
}

/**
 * Bounds the stripes in work over all requests of a process, because each holds its chunks in memory. Requests that wait
 * take turns, one stripe each, so that a small one waits for a stripe or two and never for the rest of a large one.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #running: Record<Work, number> = { put: 0, get: 0 };
  /** Who waits, by request; whoever was served goes to the end. */
  readonly #waiting = new Map<object, Waiter[]>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Stripes in work. */
  get running(): number {
    return this.#running.put + this.#running.get;
  }

  /**
   * @param request all turns of one request are asked for with the same object
   * @returns what ends the turn; more calls of it do nothing
   * @throws `signal.reason` on abort, also while it waits
   */
  async take(work: Work, request: object, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#hasRoom(work) || this.#isWaitedFor(work)) await this.#wait(work, request, signal);
    else this.#running[work]++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#running[work]--;
      this.#next();
    };
  }

  #hasRoom(work: Work): boolean {
    return this.#running[work] < this.#options.each && this.running < this.#options.together;
  }

  #isWaitedFor(work: Work): boolean {
    for (const waiters of this.#waiting.values()) if (waiters.some((waiter) => waiter.work === work)) return true;
    return false;
  }

  #wait(work: Work, request: object, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        work,
        start: () => {
          stopListening();
          this.#running[work]++;
          resolve();
        },
      };
      const stopListening = onAbort(signal, () => {
        this.#remove(request, waiter);
        reject(signal.reason as Error);
      });
      const others = this.#waiting.get(request);
      if (others === undefined) this.#waiting.set(request, [waiter]);
      else others.push(waiter);
    });
  }

  /** Starts whoever may start. One that may not, as too much of its kind is in work, does not hold up the others. */
  #next(): void {
    for (const [request, waiters] of [...this.#waiting]) {
      const waiter = waiters.find(({ work }) => this.#hasRoom(work));
      if (waiter === undefined) continue;
      this.#remove(request, waiter);
      const left = this.#waiting.get(request);
      if (left !== undefined) {
        this.#waiting.delete(request);
        this.#waiting.set(request, left);
      }
      waiter.start();
    }
  }

  #remove(request: object, waiter: Waiter): void {
    const left = (this.#waiting.get(request) ?? []).filter((other) => other !== waiter);
    if (left.length === 0) this.#waiting.delete(request);
    else this.#waiting.set(request, left);
  }
}
