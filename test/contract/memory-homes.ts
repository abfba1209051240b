import { type HomeWord, isOver } from '../../src/catalog/records/former-generations.js';
import type { OwnHome } from '../../src/catalog/records/own-home.js';
import type { PeerId } from '../../src/chunk/ids.js';

/** What the homes of one user have said, for tests without a database `network`: all hear it at once. */
export class MemoryHomes {
  readonly words = new Map<PeerId, HomeWord>();
  /** The generations of all words, in order. */
  readonly history: number[] = [];

  set(peer: PeerId, generation: number): void {
    this.history.push(generation);
    this.words.set(peer, { gone: false, generation, issuedMs: 0 });
  }

  /** As OwnHome. */
  at(peer: PeerId): Pick<OwnHome, 'generation' | 'arrive' | 'say' | 'isOver'> {
    return {
      arrive: async (generation) => this.set(peer, generation),
      generation: async () => this.words.get(peer)?.generation ?? 0,
      say: async (generation) => {
        if (this.words.get(peer)?.gone === false) this.set(peer, generation);
      },
      isOver: async (generation) => isOver([...this.words.values()], generation, { nowMs: 0, sinceMs: 0 }),
    };
  }
}
