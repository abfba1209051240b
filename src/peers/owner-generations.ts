import type { UserId } from '../chunk/ids.js';

/** The newest generation of each owner's keys that this peer has heard of: it never goes back. */
export class OwnerGenerations {
  readonly #known = new Map<UserId, number>();

  update(users: Iterable<{ readonly id: UserId; readonly generation: number }>): void {
    for (const { id, generation } of users) {
      this.#known.set(id, Math.max(generation, this.#known.get(id) ?? 1));
    }
  }

  /** @returns undefined for an owner that nobody has told of */
  of(owner: UserId): number | undefined {
    return this.#known.get(owner);
  }
}
