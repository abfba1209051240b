/** So much of something for all that share it. */
export class Budget {
  #left: number;

  constructor(total: number) {
    this.#left = total;
  }

  /** @returns false when there is not that much left, and nothing is taken */
  take(amount: number): boolean {
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }

  /** What was taken. */
  give(amount: number): void {
    this.#left += amount;
  }
}
