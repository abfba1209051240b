import { segmentsOf } from '../chunk/chunk-store.js';
import type { ChunkId, StripeId } from '../chunk/ids.js';
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
 * Compares the files, the rows and the records with each other. A chunk that a record places here, or that has a claim, and
 * that has no row is lost: its file is taken up again where it is there and right, else the chunk is rebuilt. A file that
 * nothing wants is removed when it is old enough, and when nothing has wanted it in any look for as long. A chunk that its owner
 * withdrew is not lost.
 *
 * @throws `signal.reason` on abort; what the catalog fails with
 */
export async function surveyStore(parts: ScrubParts, signal: AbortSignal): Promise<void> {
  const { network, store, count, clock, logger } = parts;
  const { mending } = store;
  const wasMended = await mending.scrubs.check();
  if (wasMended) logger.warn({}, 'the chunk index did not match itself, and was mended; the disk forgets');
  mending.scrubs.forgetWithdrawals(clock() - WITHDRAWAL_KEPT_MS);
  const healedBefore = count.healedChunks;
  const strays = await findStrays(parts, signal);
  const known = { records: 0, unreadable: 0 };
  const onUnreadable = (): void => {
    known.unreadable++;
  };
  for await (const record of knownStripes(network, signal, onUnreadable)) {
    known.records++;
    for (const id of ownChunks(record, network.self)) {
      if (mending.scrubs.isWithdrawn(record.owner, id)) continue;
      // Restored or not: what is right of its file is worth keeping.
      strays.delete(id);
      if (!mending.has(id)) await restore(parts, { id, stripe: record.id, claim: claimOf(record, id) }, signal);
    }
  }
  await seeToStrays(parts, { strays, isCertain: known.records > 0 && known.unreadable === 0 }, signal);
  await forgetUnwanted(parts, signal);
  if (wasMended || count.healedChunks > healedBefore) await mending.scrubs.recount();
  mending.scrubs.noteSurvey(clock());
}

interface Strays {
  /** With the time of their last change. */
  readonly strays: ReadonlyMap<ChunkId, number>;
  /** All records that this peer knows of were read. Where some are lost, or none has come, nobody can tell what is wanted. */
  readonly isCertain: boolean;
}

async function seeToStrays(parts: ScrubParts, { strays, isCertain }: Strays, signal: AbortSignal): Promise<void> {
  const { store, clock } = parts;
  const { scrubs } = store.mending;
  const unwanted: ChunkId[] = [];
  for (const id of strays.keys()) {
    if (store.mending.has(id)) continue;
    const claim = goodClaim(id, scrubs.claims(id));
    if (claim === undefined) unwanted.push(id);
    else await restore(parts, { id, stripe: claim.read.stripe, claim }, signal);
  }
  if (!isCertain) return;
  const nowMs = clock();
  for (const [id, sinceMs] of await scrubs.watchStrays(unwanted, nowMs)) {
    const changedMs = strays.get(id) ?? nowMs;
    if (Math.max(sinceMs, changedMs) + STRAY_AGE_MS < nowMs) await removeStray(parts, id, signal);
  }
}

/** What could not be mended before. */
export async function retryDamage(parts: ScrubParts, damage: KnownDamage, signal: AbortSignal): Promise<void> {
  const { id } = damage;
  await parts.turn(signal);
  if (parts.store.mending.has(id)) {
    await scrubChunk(parts, id, signal);
    return;
  }
  const lost = await stillLost(parts, damage);
  if (lost === undefined) parts.store.mending.scrubs.removeDamage(id);
  else await restore(parts, lost, signal);
}

/** Chunks that could not be restored, and whose stripes were removed or have them elsewhere by now, are not missed any more. */
async function forgetUnwanted(parts: ScrubParts, signal: AbortSignal): Promise<void> {
  const { mending } = parts.store;
  for (let after: ChunkId | undefined; ;) {
    signal.throwIfAborted();
    const page = mending.scrubs.damagesBehind(after, SURVEY_PAGE);
    for (const damage of page) {
      if (mending.has(damage.id) || (await stillLost(parts, damage)) !== undefined) continue;
      mending.scrubs.removeDamage(damage.id);
    }
    after = page.at(-1)?.id;
    if (after === undefined) return;
  }
}

/** Of a chunk without a row: whether its record still places it here, or somebody's claim is left. */
async function stillLost({ network, store }: ScrubParts, { id, stripe }: KnownDamage): Promise<Lost | undefined> {
  const { scrubs } = store.mending;
  const record = stripe === undefined ? undefined : await recordOf(network, stripe);
  if (record !== undefined && ownChunks(record, network.self).includes(id) && !scrubs.isWithdrawn(record.owner, id)) {
    return { id, stripe: record.id, claim: claimOf(record, id) };
  }
  const claim = goodClaim(id, scrubs.claims(id));
  return claim && { id, stripe: claim.read.stripe, claim };
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

interface Lost {
  readonly id: ChunkId;
  readonly stripe: StripeId;
  /** undefined: the label in the record does not hold. */
  readonly claim: GoodClaim | undefined;
}

/** A chunk that this peer has no row of. */
async function restore(parts: ScrubParts, { id, stripe, claim }: Lost, signal: AbortSignal): Promise<void> {
  await parts.turn(signal);
  try {
    if (claim === undefined) {
      throw new StorageError('CORRUPT', `The record of stripe ${stripe.slice(0, 12)}… has a label that does not hold.`);
    }
    if (!(await adopt(parts, { id, claim }, signal))) await rebuild(parts, { id, claim }, signal);
  } catch (error) {
    signal.throwIfAborted();
    noteFailure(parts, { id, stripe }, wrapError(error, `Restoring chunk ${id.slice(0, 12)}…`));
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
  await store.put({ ...shape, id, owner, label }, segmentsOf(content, SEGMENT_BYTES), { signal, background: true });
  noteHealed(parts, { segments: segmentCount(shape.bytes), bytes: shape.bytes });
  count.healedChunks++;
  logger.info({ chunk: id }, 'a chunk that was lost was rebuilt');
}

async function removeStray({ store, count, logger }: ScrubParts, id: ChunkId, signal: AbortSignal): Promise<void> {
  await store.mending.removeStray(id, { signal });
  count.removedFiles++;
  logger.info({ chunk: id }, 'a chunk file that nothing refers to was removed');
}
