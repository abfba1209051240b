import type { PeerId } from '../chunk/ids.js';
import { compareChanges, type ChangeStamp } from './stamp.js';

/** Which change documents have come, and which others they speak of. */
export class Arrivals {
  readonly #seen = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #newest = new Map<PeerId, ChangeStamp>();
  #counter = 0;

  /** The highest Lamport counter seen. */
  get counter(): number {
    return this.#counter;
  }

  get missing(): readonly string[] {
    return [...this.#missing];
  }

  newestOf(peer: PeerId): string | undefined {
    return this.#newest.get(peer)?.document;
  }

  /** @param previous what the same peer wrote before */
  note(stamp: ChangeStamp, previous: string | undefined): void {
    this.#counter = Math.max(this.#counter, stamp.counter);
    this.#seen.add(stamp.document);
    this.#missing.delete(stamp.document);
    if (previous !== undefined && !this.#seen.has(previous)) this.#missing.add(previous);
    const newest = this.#newest.get(stamp.peer);
    if (newest === undefined || compareChanges(stamp, newest) > 0) this.#newest.set(stamp.peer, stamp);
  }
}
