/** Long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 5000;

/** Bytes per second over the last seconds, from a count that only grows. */
export class Meter {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** @param bytes in all so far */
  sample(bytes: number, atMs: number): void {
    this.#samples.push({ atMs, bytes });
    // One older than the window is kept: it is where the window begins.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** 0 until there is something to say. */
  get bytesPerSecond(): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }

  reset(): void {
    this.#samples.length = 0;
  }
}
