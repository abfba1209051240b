/** Hands things on after a fixed time, in order, with one timer for all of them. */
export class DelayLine<T> implements Disposable {
  readonly #deliver: (item: T) => void;
  #waiting: { readonly item: T; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(deliver: (item: T) => void) {
    this.#deliver = deliver;
  }

  push(item: T, delayMs: number): void {
    if (delayMs <= 0 && this.#waiting.length === 0) {
      this.#deliver(item);
      return;
    }
    this.#waiting.push({ item, dueMs: performance.now() + delayMs });
    this.#timer ??= setTimeout(this.#release, delayMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  readonly #release = (): void => {
    const nowMs = performance.now();
    const firstLate = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    const due = firstLate === -1 ? this.#waiting : this.#waiting.slice(0, firstLate);
    this.#waiting = firstLate === -1 ? [] : this.#waiting.slice(firstLate);
    const [next] = this.#waiting;
    this.#timer = next && setTimeout(this.#release, Math.max(1, next.dueMs - nowMs));
    for (const { item } of due) this.#deliver(item);
  };
}
