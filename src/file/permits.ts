/** One request's part in what all requests of a process may hold at once. */
export interface Share {
  /** Nobody waits for a permit: who gets none makes do with less. @returns what gives it back, more calls of it do nothing */
  take(): (() => void) | undefined;
  /** Gives back what is still held. */
  leave(): void;
}

/** A number of large things in memory over all requests, in equal parts for those that want some. */
export class Permits {
  readonly #count: number;
  #taken = 0;
  #shares = 0;

  constructor(count: number) {
    this.#count = count;
  }

  join(): Share {
    const held = new Set<() => void>();
    this.#shares++;
    let joined = true;
    return {
      take: () => {
        const part = Math.max(1, Math.floor(this.#count / this.#shares));
        if (!joined || this.#taken >= this.#count || held.size >= part) return undefined;
        this.#taken++;
        const release = (): void => {
          if (held.delete(release)) this.#taken--;
        };
        held.add(release);
        return release;
      },
      leave: () => {
        for (const release of [...held]) release();
        if (joined) this.#shares--;
        joined = false;
      },
    };
  }
}
