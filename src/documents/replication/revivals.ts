import { MAX_REVIVED_DOCUMENTS } from '../../limits.js';

/**
 * Which documents of a database were written once more for a host that had them buried. Each is once while this process
 * runs: a host that buries it again means it, and would have it written for ever.
 */
export class Revivals {
  readonly #ids = new Set<string>();

  /** @returns whether the document may be written once more, now and then never again */
  take(id: string): boolean {
    if (this.#ids.has(id) || this.#ids.size >= MAX_REVIVED_DOCUMENTS) return false;
    this.#ids.add(id);
    return true;
  }
}
