import { equalBytes } from '../bytes.js';
import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import type { ChunkId } from '../chunk/ids.js';
import type { ScrubCount } from '../counts.js';
import { StorageError } from '../errors.js';
import { MEND_RETRY_MIN_MS } from '../limits.js';
import type { Mending } from '../store/mending.js';
import { claimOf, goodClaim, knownStripes, misnamedClaim, type GoodClaim } from './chunk-labels.js';

/** What looking for them works with. */
export interface LostLabelsParts {
  readonly network: { readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'> };
  readonly store: { readonly mending: Mending };
  readonly count: ScrubCount;
  /** Unix time. */
  readonly clock: () => number;
}

/**
 * Labels that were lost, found again in the records. A look goes through all records, and puts in their places all labels
 * that the store lacks: where many are lost, nothing is gone through for each of them.
 */
export class LostLabels {
  readonly #parts: LostLabelsParts;
  /** When the last look ended, in Unix time. */
  #lookedMs: number | undefined;

  constructor(parts: LostLabelsParts) {
    this.#parts = parts;
  }

  /** The next one that is asked for is looked for anew. */
  forget(): void {
    this.#lookedMs = undefined;
  }

  /** @throws StorageError CORRUPT where no record names the chunk; `signal.reason` on abort */
  async find(id: ChunkId, signal: AbortSignal): Promise<GoodClaim> {
    const { store, clock } = this.#parts;
    const renamed = await this.#rename(id);
    if (renamed !== undefined) return renamed;
    if (this.#isDue(clock())) {
      await this.#look(id, signal);
      this.#lookedMs = clock();
    }
    const found = goodClaim(id, store.mending.scrubs.claims(id));
    if (found !== undefined) return found;
    throw new StorageError(
      'CORRUPT',
      `The label of chunk ${id.slice(0, 12)}… is lost, and no record that this peer knows names the chunk.`,
    );
  }

  /** Whom a label says that it is from is known by its signature, whatever the row says. */
  async #rename(id: ChunkId): Promise<GoodClaim | undefined> {
    const { store, count } = this.#parts;
    const { scrubs } = store.mending;
    const claim = misnamedClaim(id, scrubs.claims(id));
    if (claim === undefined) return undefined;
    await scrubs.rename(id, claim, claim.misnamed);
    count.mendedRows++;
    return claim;
  }

  /** As often as one that could not be mended is tried again, at most. */
  #isDue(nowMs: number): boolean {
    const lookedMs = this.#lookedMs;
    return lookedMs === undefined || nowMs < lookedMs || nowMs >= lookedMs + MEND_RETRY_MIN_MS;
  }

  async #look(asked: ChunkId, signal: AbortSignal): Promise<void> {
    const { network, store, count } = this.#parts;
    for await (const record of knownStripes(network, signal)) {
      for (const id of record.chunks) {
        const claim = this.#lostOf(record, id);
        if (claim === undefined) continue;
        await store.mending.scrubs.relabel(id, claim);
        count.mendedRows++;
        // Of the one that is asked for, more may be wrong.
        if (id !== asked) count.healedChunks++;
      }
    }
  }

  /** Opening a label takes long, and those that are as in the record are good. */
  #lostOf(record: StripeRecord, id: ChunkId): GoodClaim | undefined {
    const { mending } = this.#parts.store;
    if (!mending.has(id)) return undefined;
    const claims = mending.scrubs.claims(id);
    if (claims.some(({ label }) => equalBytes(label, record.label))) return undefined;
    const isOwn = claims.length === 0 || claims.some(({ owner }) => owner === record.owner);
    return isOwn && goodClaim(id, claims) === undefined ? claimOf(record, id) : undefined;
  }
}
