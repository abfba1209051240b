import { StorageError } from '../errors.js';

/** One piece of work at a time, in order, with a bound on how many wait. */
export class Serial {
  readonly #maxWaiting: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** @throws StorageError UNAVAILABLE when too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#maxWaiting) {
      throw new StorageError('UNAVAILABLE', 'This peer is busy checking passphrases. Try again in a moment.');
    }
    this.#waiting++;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }
}
