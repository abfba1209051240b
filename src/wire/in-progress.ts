/** Counts what is in progress, each key by itself, and bounds it. */
export class InProgress<K> {
  readonly #most: number;
  readonly #counts = new Map<K, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns to be called once, at its end; undefined when this is one too many */
  begin(key: K): (() => void) | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#most) return undefined;
    this.#counts.set(key, count + 1);
    return () => this.#end(key);
  }

  #end(key: K): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left === 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }
}
