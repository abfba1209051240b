/** What one request has under way; lets it wait until all of it has ended. */
export class Slots {
  readonly #turn: () => Promise<() => void>;
  readonly #running = new Set<Promise<void>>();

  /** @param turn resolves when the next piece of work may begin, with what is called at its end */
  constructor(turn: () => Promise<() => void>) {
    this.#turn = turn;
  }

  /** Starts `work` when it is its turn; resolves when it has started. `work` must not reject. */
  async run(work: () => Promise<void>): Promise<void> {
    const endTurn = await this.#turn();
    const running = work().finally(() => {
      endTurn();
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
