import type { Session } from '../../catalog/catalog.js';
import type { ChunkStore, ListOptions } from '../../chunk/chunk-store.js';
import type { ChunkId, PeerId } from '../../chunk/ids.js';
import { encodeInventoryOrder } from '../../chunk/inventory-order.js';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_BAD_LABELS, MAX_INVENTORY_RETRIES } from '../../limits.js';
import type { Engine } from '../engine.js';
import type { StripeClaims } from './stripe-claims.js';

/** What a peer told of the owner's chunks. */
export interface PeerInventory {
  readonly peer: PeerId;
  readonly name: string;
  readonly chunks: number;
  /** Labels that do not hold; their chunks were passed over. */
  readonly badLabels: number;
  /** Why it told no more; absent when it told everything. */
  readonly failure?: StorageError;
}

/**
 * Asks every member, all at once, what it holds of the user's, and notes it in `claims`. A peer that fails, stalls or lies
 * costs only what it alone holds.
 *
 * @throws StorageError LOCKED; `signal.reason` on abort
 */
export async function takeInventories(
  engine: Engine,
  session: Session,
  claims: StripeClaims,
  options: { readonly signal: AbortSignal; readonly onPeer: (told: PeerInventory) => void },
): Promise<void> {
  const members = engine.book.list().filter(({ state }) => state !== 'removed');
  await Promise.all(
    members.map(async ({ id, name }) => {
      const told = await new Inventory(engine, session, claims, id).take(options.signal);
      options.onPeer({ peer: id, name, ...told });
    }),
  );
}

class Inventory {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #claims: StripeClaims;
  readonly #peer: PeerId;
  #chunks = 0;
  #badLabels = 0;
  #last: ChunkId | undefined;

  constructor(engine: Engine, session: Session, claims: StripeClaims, peer: PeerId) {
    this.#engine = engine;
    this.#session = session;
    this.#claims = claims;
    this.#peer = peer;
  }

  async take(signal: AbortSignal): Promise<Omit<PeerInventory, 'peer' | 'name'>> {
    for (let tries = 0; ;) {
      const before = this.#last;
      try {
        await this.#goOn(signal);
        return this.#told();
      } catch (error) {
        signal.throwIfAborted();
        if (StorageError.is(error, 'LOCKED')) throw error;
        const failure = wrapError(error, 'Listing the chunks of a peer');
        // A large inventory on a bad line is taken up where it broke off, for as long as it gets on.
        tries = this.#last === before ? tries + 1 : 1;
        if (!failure.retryable || tries > MAX_INVENTORY_RETRIES) return { ...this.#told(), failure };
      }
    }
  }

  #told(): Pick<PeerInventory, 'chunks' | 'badLabels'> {
    return { chunks: this.#chunks, badLabels: this.#badLabels };
  }

  async #goOn(signal: AbortSignal): Promise<void> {
    const store: ChunkStore = this.#engine.links.store(this.#peer);
    for await (const summary of store.list(await this.#listOptions(signal))) {
      this.#last = summary.id;
      if (this.#claims.add(this.#peer, summary)) this.#chunks++;
      else this.#badLabels++;
      if (this.#badLabels < MAX_BAD_LABELS) continue;
      throw new StorageError(
        'CORRUPT',
        `It showed ${String(MAX_BAD_LABELS)} labels that do not hold. Run a scrub there.`,
      );
    }
  }

  async #listOptions(signal: AbortSignal): Promise<ListOptions> {
    const { user: owner } = this.#session;
    const options = { signal, owner, ...(this.#last !== undefined && { after: this.#last }) };
    const { self, catalog } = this.#engine;
    const order = encodeInventoryOrder({ owner, sourcePeer: self, targetPeer: this.#peer, issuedMs: Date.now() });
    return { ...options, authorization: await catalog.sign(this.#session, 'inventory', order) };
  }
}
