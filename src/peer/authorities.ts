import type { PeerId } from '../chunk/ids.js';

/** The peers that hold the authority's key, as the network's record last said. */
export class Authorities {
  #peers: ReadonlySet<PeerId> = new Set();

  has(peer: PeerId): boolean {
    return this.#peers.has(peer);
  }

  update(peers: readonly PeerId[]): void {
    this.#peers = new Set(peers);
  }
}
