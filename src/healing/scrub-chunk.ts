import type { ChunkId } from '../chunk/ids.js';
import type { ChunkShape, Segment } from '../chunk/segments.js';
import { wrapError } from '../errors.js';
import { REBUILD_ROWS, SMALL_CHUNK_BYTES } from '../limits.js';
import type { Inspection } from '../store/mending.js';
import { goodClaim, type GoodClaim } from './chunk-labels.js';
import { rebuildChunk, rebuildSegments, type RebuildOptions } from './rebuild.js';
import { noteFailure, noteHealed, rebuildOf, type ScrubParts } from './scrub-parts.js';
import { stripeOfLabel } from './stripe-holders.js';

/**
 * Reads one chunk, compares it with its id, and puts right what is wrong with it: rotten, missing and cut-off bytes from the
 * others of its stripe, segment by segment; its hash list and its label from wherever they are to be had. What cannot be
 * mended now is noted, and nothing is made worse.
 *
 * @throws `signal.reason` on abort, UNAVAILABLE when the store is closed
 */
export async function scrubChunk(parts: ScrubParts, id: ChunkId, signal: AbortSignal): Promise<void> {
  const { mending } = parts.store;
  try {
    await inspectAndMend(parts, id, signal);
    mending.scrubs.removeDamage(id);
  } catch (error) {
    signal.throwIfAborted();
    const [claim] = mending.scrubs.claims(id);
    const stripe = claim && goodClaim(id, [claim])?.read.stripe;
    noteFailure(parts, { id, stripe }, wrapError(error, `Mending chunk ${id.slice(0, 12)}…`));
  }
  mending.scrubs.noteRead(id, parts.clock());
}

async function inspectAndMend(parts: ScrubParts, id: ChunkId, signal: AbortSignal): Promise<void> {
  const { store, count, logger } = parts;
  const inspection = await store.mending.inspect(id, { signal });
  // Deleted since.
  if (inspection === undefined) return;
  count.chunks++;
  count.bytes += inspection.readBytes;
  const { claims, fault } = inspection;
  const claim = goodClaim(id, claims);
  if (claim !== undefined && fault === undefined) return;
  await mendChunk(parts, inspection, { claim: claim ?? (await parts.labels.find(id, signal)), signal });
  count.healedChunks++;
  logger.info({ chunk: id, fault: fault ?? 'label' }, 'a damaged chunk was mended');
}

interface Mend {
  readonly claim: GoodClaim;
  readonly signal: AbortSignal;
}

async function mendChunk(parts: ScrubParts, inspection: Inspection, { claim, signal }: Mend): Promise<void> {
  const { id, fault, shape } = inspection;
  if (fault === undefined) return;
  const stripe = stripeOfLabel(claim.read);
  const rebuild = rebuildOf(parts, { stripe, index: stripe.chunks.indexOf(id) }, signal);
  if (shape === undefined) await mendHashes(parts, id, rebuild);
  else if (fault === 'missing' && shape.bytes >= SMALL_CHUNK_BYTES)
    await storeAnew(parts, { id, shape, claim }, rebuild);
  else await writeBack(parts, { id, shape, wrong: inspection.wrong }, rebuild);
}

/** Without its hash list nobody knows which of its bytes are right, unless all of them are. */
async function mendHashes(parts: ScrubParts, id: ChunkId, rebuild: RebuildOptions): Promise<void> {
  const { mending } = parts.store;
  const { signal } = rebuild;
  const known = await mending.recognise(id, { signal });
  const rebuilt = known === undefined ? await rebuildChunk(rebuild) : undefined;
  const shape = known ?? rebuilt?.shape;
  if (shape === undefined) return;
  await mending.reshape(id, shape, { signal });
  parts.count.mendedRows++;
  const inspection = await mending.inspect(id, { signal });
  if (inspection?.fault === undefined) return;
  const claim = goodClaim(id, inspection.claims);
  if (inspection.fault === 'missing' && claim !== undefined && shape.bytes >= SMALL_CHUNK_BYTES) {
    await storeAnew(parts, { id, shape, claim }, rebuild);
  } else {
    await writeBack(parts, { id, shape, wrong: inspection.wrong }, rebuild);
  }
}

/** As any put: what breaks off is gone on with the next time. */
async function storeAnew(
  parts: ScrubParts,
  { id, shape, claim }: { readonly id: ChunkId; readonly shape: ChunkShape; readonly claim: GoodClaim },
  rebuild: RebuildOptions,
): Promise<void> {
  const { owner, label } = claim;
  const source = async function* (segments: readonly number[]): AsyncGenerator<Segment> {
    for await (const segment of rebuildSegments(rebuild, { segments, shape })) {
      yield segment;
      noteHealed(parts, { segments: 1, bytes: segment.bytes.length });
    }
  };
  await parts.store.put({ ...shape, id, owner, label }, source, { signal: rebuild.signal, background: true });
}

/** Some segments at a time, so that what was brought is not lost when the rest cannot be. */
async function writeBack(
  parts: ScrubParts,
  { id, shape, wrong }: { readonly id: ChunkId; readonly shape: ChunkShape; readonly wrong: readonly number[] },
  rebuild: RebuildOptions,
): Promise<void> {
  const { signal } = rebuild;
  let batch: Segment[] = [];
  const write = async (): Promise<void> => {
    await parts.store.mending.mend(id, batch, { signal });
    noteHealed(parts, { segments: batch.length, bytes: batch.reduce((sum, { bytes }) => sum + bytes.length, 0) });
    batch = [];
  };
  for await (const segment of rebuildSegments(rebuild, { segments: wrong, shape })) {
    batch.push(segment);
    if (batch.length === REBUILD_ROWS) await write();
  }
  // Also without a segment: a file that is too long is cut.
  if (batch.length > 0 || wrong.length === 0) await write();
}
