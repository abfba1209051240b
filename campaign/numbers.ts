import { createHash } from 'node:crypto';
import { seededRandom } from '../src/durability/random.js';

/** The numbers of one actor: the same for the same seed and name, whatever the others draw. */
export class Numbers {
  readonly #random: () => number;

  constructor(seed: number, actor: string) {
    const digest = createHash('sha256')
      .update(`${String(seed)} ${actor}`)
      .digest();
    this.#random = seededRandom(digest.readUInt32BE(0));
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** A whole number; both ends may come. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** undefined of an empty list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  /** Fisher and Yates. */
  shuffled<T>(list: readonly T[]): T[] {
    const drawn: T[] = [];
    for (const left = [...list]; left.length > 0;) drawn.push(...left.splice(this.below(left.length), 1));
    return drawn;
  }
}
