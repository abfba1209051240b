import type { FreedStripe, Session } from '../catalog/catalog.js';
import { encodeDeleteOrder } from '../chunk/grant.js';
import type { StripeId } from '../chunk/ids.js';
import { wrapError } from '../errors.js';
import { DELETE_ATTEMPT_MS, DELETE_RETRY_MIN_MS } from '../limits.js';
import type { DeleteBatch, PendingDelete } from '../store/outbox.js';
import type { Engine } from './engine.js';

export interface Removed {
  readonly files: number;
  /** Chunks whose peers have not acknowledged yet; they are asked again until they do. */
  readonly pendingChunks: number;
}

/** Removes a file, or a folder with all that is in it, and gives the space back at every peer that answers. */
export async function removePath(
  engine: Engine,
  session: Session,
  path: string,
  options: { readonly recursive: boolean; readonly signal: AbortSignal },
): Promise<Removed> {
  const { files, freed: unused } = await engine.catalog.remove(session, path, { recursive: options.recursive });
  const freed = unused.filter(({ stripe }) => !engine.pinned.has(stripe));
  await freeStripes(engine, session, freed);
  const attempt = AbortSignal.any([options.signal, AbortSignal.timeout(DELETE_ATTEMPT_MS)]);
  await deliverDeletes(engine, session, attempt);
  const pendingChunks = freed.reduce((sum, { stripe }) => sum + engine.outbox.pending(stripe), 0);
  return { files, pendingChunks };
}

/**
 * Notes the chunks of stripes that nothing refers to any more, to be deleted where they lie. Durable when it resolves.
 *
 * @param options later: not at once, for they may still be on their way there
 */
export async function freeStripes(
  engine: Engine,
  session: Session,
  freed: readonly FreedStripe[],
  options: { readonly later?: boolean } = {},
): Promise<void> {
  const deletes = freed.flatMap(({ stripe, chunks }) =>
    chunks.map(({ id, peer }): PendingDelete => ({ peer, owner: session.user, chunk: id, stripe })),
  );
  // In one write: deletes that were due even for a moment could be sent before the chunks arrive.
  await engine.outbox.add(deletes, options.later === true ? DELETE_RETRY_MIN_MS : 0);
}

/** Sends what the owner's outbox holds and is due, to all peers at once. What a peer refuses or misses is tried later. */
export async function deliverDeletes(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  for (;;) {
    const batches = engine.outbox.due(session.user);
    if (batches.length === 0 || signal.aborted) return;
    const delivered = await Promise.all(batches.map((batch) => deliver(engine, session, batch, signal)));
    const stripes = new Set(delivered.flat().map(({ stripe }) => stripe));
    await forget(engine, session, stripes);
  }
}

async function deliver(
  engine: Engine,
  session: Session,
  batch: DeleteBatch,
  signal: AbortSignal,
): Promise<readonly PendingDelete[]> {
  const { peer, deletes } = batch;
  try {
    const chunks = deletes.map(({ chunk }) => chunk);
    const order = encodeDeleteOrder({ owner: session.user, targetPeer: peer, chunks, issuedMs: Date.now() });
    const authorization = await engine.catalog.sign(session, 'delete', order);
    await engine.links.store(peer).delete(session.user, chunks, { signal, authorization });
    await engine.outbox.done(deletes);
    return deletes;
  } catch (error) {
    const { code } = wrapError(error, 'Deleting chunks');
    engine.logger.debug({ peer, code, chunks: deletes.length }, 'chunks wait for their deletion');
    await engine.outbox.postpone(deletes);
    return [];
  }
}

async function forget(engine: Engine, session: Session, stripes: ReadonlySet<StripeId>): Promise<void> {
  const done = [...stripes].filter((stripe) => engine.outbox.pending(stripe) === 0);
  if (done.length > 0) await engine.catalog.forgetStripes(session, done);
}
