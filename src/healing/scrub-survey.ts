import type { StripeRecord } from '../catalog/catalog.js';
import { segmentsOf } from '../chunk/chunk-store.js';
import type { ChunkId } from '../chunk/ids.js';
import { segmentCount } from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import { MAX_STRAY_FILES, SEGMENT_BYTES, STRAY_AGE_MS, SURVEY_PAGE, WITHDRAWAL_KEPT_MS } from '../limits.js';
import type { KnownDamage } from '../store/scrub-index.js';
import { claimOf, goodClaim, knownStripes, ownChunks, recordOf, type GoodClaim } from './chunk-labels.js';
import { rebuildChunk } from './rebuild.js';
import { scrubChunk } from './scrub-chunk.js';
import { noteFailure, noteHealed, rebuildOf, type ScrubParts } from './scrub-parts.js';
import { stripeOfLabel } from './stripe-holders.js';

/**
 * Compares the files, the rows and the records with each other. A chunk that a record places here and that has no row is
 * lost: its file is taken up again where it is there and right, else the chunk is rebuilt. A file that neither a record nor a
 * claim wants is removed when it is old enough. A chunk that its owner withdrew is not lost.
 *
 * @throws `signal.reason` on abort; what the catalog fails with
 */
export async function surveyStore(parts: ScrubParts, signal: AbortSignal): Promise<void> {
  const { network, store, clock } = parts;
  const { scrubs } = store.mending;
  scrubs.forgetWithdrawals(clock() - WITHDRAWAL_KEPT_MS);
  const strays = await findStrays(parts, signal);
  let records = 0;
  for await (const record of knownStripes(network, signal)) {
    records++;
    for (const id of ownChunks(record, network.self)) {
      if (isLost(parts, record, id)) await restore(parts, { record, id }, signal);
    }
    for (const id of record.chunks) if (store.mending.has(id)) strays.delete(id);
  }
  for (const [id, changedMs] of strays) {
    const claim = goodClaim(id, scrubs.claims(id));
    if (claim !== undefined) await adopt(parts, { id, claim }, signal);
    // Where no record is known at all the catalog has not come yet, or is lost: nobody can tell what is wanted.
    else if (records > 0 && changedMs + STRAY_AGE_MS < clock()) await removeStray(parts, id, signal);
  }
  await forgetUnwanted(parts, signal);
  scrubs.noteSurvey(clock());
}

/** What could not be mended before. */
export async function retryDamage(parts: ScrubParts, damage: KnownDamage, signal: AbortSignal): Promise<void> {
  const { id } = damage;
  await parts.turn(signal);
  if (parts.store.mending.has(id)) {
    await scrubChunk(parts, id, signal);
    return;
  }
  const record = await wantedBy(parts, damage);
  if (record === undefined) parts.store.mending.scrubs.removeDamage(id);
  else await restore(parts, { record, id }, signal);
}

/** Chunks that could not be restored, and whose stripes were removed or have them elsewhere by now, are not missed any more. */
async function forgetUnwanted(parts: ScrubParts, signal: AbortSignal): Promise<void> {
  const { mending } = parts.store;
  for (let after: ChunkId | undefined; ;) {
    signal.throwIfAborted();
    const page = mending.scrubs.damagesBehind(after, SURVEY_PAGE);
    for (const damage of page) {
      if (mending.has(damage.id) || (await wantedBy(parts, damage)) !== undefined) continue;
      mending.scrubs.removeDamage(damage.id);
    }
    after = page.at(-1)?.id;
    if (after === undefined) return;
  }
}

/** The record that places a chunk here of which there is no row; undefined: none does, or its owner withdrew it. */
async function wantedBy(parts: ScrubParts, { id, stripe }: KnownDamage): Promise<StripeRecord | undefined> {
  const { network } = parts;
  const record = stripe === undefined ? undefined : await recordOf(network, stripe);
  return record !== undefined && ownChunks(record, network.self).includes(id) && isLost(parts, record, id)
    ? record
    : undefined;
}

async function findStrays({ store }: ScrubParts, signal: AbortSignal): Promise<Map<ChunkId, number>> {
  const strays = new Map<ChunkId, number>();
  for await (const { id, changedMs } of store.mending.strays({ signal })) {
    strays.set(id, changedMs);
    // The others are found the next time.
    if (strays.size >= MAX_STRAY_FILES) break;
  }
  return strays;
}

function isLost({ store }: ScrubParts, { owner }: StripeRecord, id: ChunkId): boolean {
  return !store.mending.has(id) && !store.mending.scrubs.isWithdrawn(owner, id);
}

interface Wanted {
  readonly record: StripeRecord;
  readonly id: ChunkId;
}

/** A chunk that this peer has no row of. */
async function restore(parts: ScrubParts, { record, id }: Wanted, signal: AbortSignal): Promise<void> {
  await parts.turn(signal);
  try {
    const claim = claimOf(record, id);
    if (claim === undefined) {
      throw new StorageError(
        'CORRUPT',
        `The record of stripe ${record.id.slice(0, 12)}… has a label that does not hold.`,
      );
    }
    if (!(await adopt(parts, { id, claim }, signal))) await rebuild(parts, { id, claim }, signal);
  } catch (error) {
    signal.throwIfAborted();
    noteFailure(parts, { id, stripe: record.id }, wrapError(error, `Restoring chunk ${id.slice(0, 12)}…`));
  }
}

interface Claimed {
  readonly id: ChunkId;
  readonly claim: GoodClaim;
}

async function adopt(parts: ScrubParts, { id, claim }: Claimed, signal: AbortSignal): Promise<boolean> {
  const { store, count, logger } = parts;
  const { owner, label } = claim;
  const bytes = await store.mending.adopt(id, { owner, label }, { signal });
  if (bytes === undefined) return false;
  count.bytes += bytes;
  count.healedChunks++;
  count.adoptedChunks++;
  logger.info({ chunk: id }, 'a chunk whose row was lost was taken up again');
  return true;
}

async function rebuild(parts: ScrubParts, { id, claim }: Claimed, signal: AbortSignal): Promise<void> {
  const { store, count, logger } = parts;
  const { owner, label } = claim;
  const stripe = stripeOfLabel(claim.read);
  const { shape, content } = await rebuildChunk(rebuildOf(parts, { stripe, index: stripe.chunks.indexOf(id) }, signal));
  await store.put({ ...shape, id, owner, label }, segmentsOf(content, SEGMENT_BYTES), { signal });
  noteHealed(parts, { segments: segmentCount(shape.bytes), bytes: shape.bytes });
  count.healedChunks++;
  logger.info({ chunk: id }, 'a chunk that was lost was rebuilt');
}

async function removeStray({ store, count, logger }: ScrubParts, id: ChunkId, signal: AbortSignal): Promise<void> {
  await store.mending.removeStray(id, { signal });
  count.removedFiles++;
  logger.info({ chunk: id }, 'a chunk file that nothing refers to was removed');
}
