/** Numbers from 0 (never 0 itself) to 1, the same for the same seed: mulberry32, which passes gjrand's small tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** @returns a time until something that happens `rate` times per unit of time */
export function exponential(rate: number, random: () => number): number {
  return -Math.log(random()) / rate;
}
