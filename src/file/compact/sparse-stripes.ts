import type { Session, StripeRecord } from '../../catalog/catalog.js';
import { LIVE_STRIPE_PAGE, type LiveStripe } from '../../catalog/compaction.js';
import type { StripeId } from '../../chunk/ids.js';
import { openLabel } from '../../chunk/label.js';
import { MAX_STRIPE_BYTES, STRIPE_ID_PAGE } from '../../limits.js';
import type { Engine } from '../engine.js';

/** A stripe of which no more than this share is needed is sparse: storing that anew gives back more than it takes. */
export const SPARSE_SHARE = 0.5;
/** Most that one look finds, some 100 bytes each. */
const MAX_SPARSE = 10_000;

/** A stripe of which little is needed. */
export interface SparseStripe {
  readonly stripe: StripeId;
  /** Sealed bytes that versions refer to. */
  readonly liveBytes: number;
  /** Sealed bytes, but for the directory, that none refers to. */
  readonly deadBytes: number;
}

/**
 * Those of the user's stripes of which little is needed. Reads every small stripe's record: some 0.3 ms each.
 *
 * @throws StorageError UNAVAILABLE while a part of the catalog is missing; `signal.reason` on abort
 */
export async function findSparse(engine: Engine, session: Session, signal: AbortSignal): Promise<SparseStripe[]> {
  const found: SparseStripe[] = [];
  let after: StripeId | undefined;
  do {
    const page: readonly LiveStripe[] = await engine.catalog.compaction.liveStripes(session, {
      ...(after !== undefined && { after }),
      limit: LIVE_STRIPE_PAGE,
    });
    after = page.length < LIVE_STRIPE_PAGE ? undefined : page.at(-1)?.stripe;
    // No stripe is so long that more than this could be little of it.
    const small = page.filter(({ bytes }) => bytes <= MAX_STRIPE_BYTES * SPARSE_SHARE);
    for (let at = 0; at < small.length && found.length < MAX_SPARSE; at += STRIPE_ID_PAGE) {
      signal.throwIfAborted();
      for (const sparse of await sparseAmong(engine, small.slice(at, at + STRIPE_ID_PAGE))) found.push(sparse);
    }
  } while (after !== undefined && found.length < MAX_SPARSE);
  return found;
}

/** The next of them, which are in order, behind `tried`; where none is behind it, from the first on. */
export function inTurn(
  sparse: readonly SparseStripe[],
  tried: StripeId | undefined,
  most: number,
): readonly SparseStripe[] {
  const from = sparse.findIndex(({ stripe }) => tried === undefined || stripe > tried);
  return sparse.slice(Math.max(0, from)).slice(0, most);
}

async function sparseAmong({ catalog }: Engine, live: readonly LiveStripe[]): Promise<SparseStripe[]> {
  const records = await catalog.stripes(live.map(({ stripe }) => stripe));
  return live.flatMap(({ stripe, bytes }, at) => {
    const record = records[at];
    if (record === undefined) return [];
    const all = extentBytes(record);
    return bytes > all * SPARSE_SHARE ? [] : [{ stripe, liveBytes: bytes, deadBytes: all - bytes }];
  });
}

/** Extents lie before the directory. */
function extentBytes({ label }: StripeRecord): number {
  return openLabel(label).directoryOffset;
}
