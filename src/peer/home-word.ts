import { StorageError } from '../errors.js';
import type { HomeLookup } from '../wire/ask-home.js';

/** What this peer says as a home. Other peers reach it before its File Sender knows what it holds back: then it does not say. */
export class HomeWord {
  #given: HomeLookup | undefined;

  give(lookup: HomeLookup): void {
    this.#given = lookup;
  }

  readonly lookup: HomeLookup = async (asked) => {
    if (this.#given === undefined) throw new StorageError('UNAVAILABLE', 'This peer is starting. Ask again.');
    return this.#given(asked);
  };
}
