import type { Catalog, Placement, StripeRecord } from '../catalog/catalog.js';
import type { ChunkStore, ChunkSummary } from '../chunk/chunk-store.js';
import type { ChunkId, PeerId, StripeId, UserId } from '../chunk/ids.js';
import { openLabel, type ReadLabel } from '../chunk/label.js';
import { StorageError } from '../errors.js';
import { STRIPE_ID_PAGE, SURVEY_PAGE } from '../limits.js';
import type { Claim } from '../store/scrub-index.js';
import type { HealingNetwork } from './stripe-holders.js';

/** A claim whose label its owner has signed, and which names the chunk. */
export interface GoodClaim extends Claim {
  readonly read: ReadLabel;
}

/** The first of the claims that holds; undefined when the labels of all are damaged. */
export function goodClaim(id: ChunkId, claims: readonly Claim[]): GoodClaim | undefined {
  for (const claim of claims) {
    const read = readLabel(claim.label);
    if (read?.owner === claim.owner && read.chunks.includes(id)) return { ...claim, read };
  }
  return undefined;
}

/** A claim whose label is signed by another than the row says: the signature is right, and the row has rotted. */
export function misnamedClaim(
  id: ChunkId,
  claims: readonly Claim[],
): (GoodClaim & { readonly misnamed: UserId }) | undefined {
  for (const { owner: misnamed, label } of claims) {
    const read = readLabel(label);
    if (read?.chunks.includes(id) === true && read.owner !== misnamed)
      return { owner: read.owner, label, read, misnamed };
  }
  return undefined;
}

/** undefined: damaged, or not signed by its owner. */
export function readLabel(label: Uint8Array): ReadLabel | undefined {
  try {
    return openLabel(label);
  } catch (error) {
    if (StorageError.is(error)) return undefined;
    throw error;
  }
}

/** A chunk here of a stripe, by its label. */
export interface LabelledChunk {
  readonly summary: ChunkSummary;
  readonly label: ReadLabel;
  /** Of its stripe; undefined: this peer knows none. */
  readonly record: StripeRecord | undefined;
}

/**
 * Own chunks with the records of their stripes, up to SURVEY_PAGE of them at a time. A chunk of several owners comes for each of them. What
 * has no label that is right belongs to no stripe; that is for the scrub.
 */
export async function* labelledChunks(
  local: Pick<ChunkStore, 'list'>,
  { catalog }: Pick<HealingNetwork, 'catalog'>,
  signal: AbortSignal,
): AsyncGenerator<readonly LabelledChunk[]> {
  let labelled: Omit<LabelledChunk, 'record'>[] = [];
  const withRecords = async (): Promise<readonly LabelledChunk[]> => {
    const page = labelled;
    labelled = [];
    const records = await catalog.stripes(page.map(({ label }) => label.stripe));
    return page.map((chunk, at) => ({ ...chunk, record: records[at] }));
  };
  for await (const summary of local.list({ signal })) {
    const label = readLabel(summary.label);
    if (label !== undefined) labelled.push({ summary, label });
    if (labelled.length === SURVEY_PAGE) yield await withRecords();
  }
  if (labelled.length > 0) yield await withRecords();
}

/** Where a chunk lies by the record of its stripe. */
export function placeOf({ chunks, placement }: StripeRecord, chunk: ChunkId): Placement | undefined {
  return placement[chunks.indexOf(chunk)];
}

/** The claim of whoever owns the stripe, by its record. */
export function claimOf(record: StripeRecord, id: ChunkId): GoodClaim | undefined {
  return goodClaim(id, [{ owner: record.owner, label: record.label }]);
}

/**
 * All records of stripes that this peer knows.
 *
 * @param onUnreadable told of each stripe whose record is there, and of which nothing right can be read
 */
export async function* knownStripes(
  { catalog }: { readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'> },
  signal: AbortSignal,
  onUnreadable: (stripe: StripeId) => void = () => undefined,
): AsyncGenerator<StripeRecord> {
  for (let after: StripeId | undefined; ;) {
    signal.throwIfAborted();
    const ids = await catalog.stripeIds({ limit: STRIPE_ID_PAGE, ...(after !== undefined && { after }) });
    for (let at = 0; at < ids.length; at += SURVEY_PAGE) {
      signal.throwIfAborted();
      const some = ids.slice(at, at + SURVEY_PAGE);
      for (const [index, record] of (await catalog.stripes(some)).entries()) {
        const stripe = some[index];
        if (record !== undefined) yield record;
        else if (stripe !== undefined) onUnreadable(stripe);
      }
    }
    after = ids.at(-1);
    if (after === undefined) return;
  }
}

/** Chunks of a stripe that this peer is to have, by the record. */
export function ownChunks(record: StripeRecord, self: PeerId): readonly ChunkId[] {
  return record.chunks.filter((_, index) => record.placement[index]?.peer === self);
}

/** The record of one stripe, as it is now. */
export async function recordOf(
  { catalog }: Pick<HealingNetwork, 'catalog'>,
  id: StripeId,
): Promise<StripeRecord | undefined> {
  const [record] = await catalog.stripes([id]);
  return record;
}
