import type { FileState } from './put-file.js';

function isWhole({ bytes, storedBytes }: FileState): boolean {
  return storedBytes === (bytes ?? -1);
}

/**
 * Which files of a put become visible together: those that share a stripe. Another peer of the user that learns of one of
 * them and removes it for ever would else find that nothing refers to the stripe, and delete the bytes of a file whose
 * change has not reached it yet. Every file has at most one stripe that it shares, its last: so nothing waits for long.
 */
export class Companions {
  readonly #groups = new Map<FileState, readonly FileState[]>();
  readonly #released = new WeakSet<FileState>();

  /** They lie in one stripe. */
  join(states: Iterable<FileState>): void {
    const group = [...new Set(states)];
    if (group.length > 1) for (const state of group) this.#groups.set(state, group);
  }

  /** @returns the files that can become visible, each once, now that this one is whole or has failed */
  release(state: FileState): readonly FileState[] {
    const group = this.#groups.get(state) ?? [state];
    if (!group.every((one) => one.failed || isWhole(one))) return [];
    const ready = group.filter((one) => !one.failed && !this.#released.has(one));
    for (const one of group) {
      this.#groups.delete(one);
      this.#released.add(one);
    }
    return ready;
  }
}
