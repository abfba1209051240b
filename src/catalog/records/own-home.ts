import type { PeerId, UserId } from '../../chunk/ids.js';
import type { Signer } from '../../crypto/succession.js';
import { isOver } from './former-generations.js';
import type { NetworkDocuments } from './network-documents.js';

export interface OwnHomeOptions {
  readonly user: UserId;
  /** This peer. */
  readonly peer: PeerId;
  readonly network: Pick<NetworkDocuments, 'home' | 'homeRecords' | 'setHome'>;
  /** Unix time. */
  readonly now: () => number;
}

/** The home of an unlocked user at this peer, as all homes of the user hear of it. */
export class OwnHome {
  readonly #options: OwnHomeOptions;
  readonly #sinceMs: number;

  constructor(options: OwnHomeOptions) {
    this.#options = options;
    this.#sinceMs = options.now();
  }

  /** What it has said last; see Home. */
  async generation(): Promise<number> {
    const { user, peer, network } = this.#options;
    return (await network.home({ user, peer }))?.generation ?? 0;
  }

  /** Whoever unlocks a user here wants the user's databases here. */
  async arrive(generation: number, by: Signer): Promise<void> {
    const { user, peer, network } = this.#options;
    await network.setHome({ user, peer, gone: false, generation }, by);
  }

  /** Says nothing where the user is not at home, or not any more. */
  async say(generation: number, by: Signer): Promise<void> {
    const { user, peer, network } = this.#options;
    const known = await network.home({ user, peer });
    if (known?.gone === false) await this.arrive(generation, by);
  }

  /** Whether nothing is waited for any more that may come into a former generation. */
  async isOver(generation: number): Promise<boolean> {
    const { user, network, now } = this.#options;
    const homes = (await network.homeRecords()).filter((home) => home.user === user);
    return isOver(homes, generation, { nowMs: now(), sinceMs: this.#sinceMs });
  }
}
