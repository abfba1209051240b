import type { Session } from '../../catalog/catalog.js';
import type { ChunkSummary, ListOptions } from '../../chunk/chunk-store.js';
import type { ChunkId, PeerId, StripeId } from '../../chunk/ids.js';
import { encodeInventoryOrder } from '../../chunk/inventory-order.js';
import { openLabel } from '../../chunk/label.js';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_BAD_LABELS, MAX_INVENTORY_PAGE } from '../../limits.js';
import type { Stray } from '../../store/stray-book.js';
import type { Engine } from '../engine.js';

interface Page {
  readonly chunks: readonly ChunkSummary[];
  /** Nothing is behind it. */
  readonly isLast: boolean;
}

/**
 * Asks a peer for the next page of what it holds of the user's, and notes which of that no file refers to. What a peer that
 * fails or lies has told before is kept, and the listing goes on there.
 *
 * @returns whether that was the end of its inventory
 * @throws StorageError whatever the peer fails with; UNAVAILABLE while it cannot be told what the catalog refers to
 */
export function listNextPage(engine: Engine, session: Session, peer: PeerId, signal: AbortSignal): Promise<boolean> {
  return engine.strays.inTurn(() => listPage(engine, session, peer, signal));
}

async function listPage(engine: Engine, session: Session, peer: PeerId, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const { strays } = engine;
  await strays.begin(session.user, peer);
  const after = strays.inventories(session.user).find((one) => one.peer === peer)?.after;
  try {
    const { chunks, isLast } = await fetchPage(engine, session, { peer, after }, signal);
    const through = isLast ? undefined : chunks.at(-1)?.id;
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    const found = await straysAmong(engine, session, peer, chunks);
    await strays.note(session.user, peer, { after, through, chunks: chunks.length, bytes, strays: found });
    return isLast;
  } catch (error) {
    signal.throwIfAborted();
    const failure = wrapError(error, 'Listing the chunks of a peer');
    await strays.fail(session.user, peer, failure.message);
    throw failure;
  }
}

async function fetchPage(
  { self, catalog, links }: Engine,
  session: Session,
  { peer, after }: { readonly peer: PeerId; readonly after: ChunkId | undefined },
  signal: AbortSignal,
): Promise<Page> {
  const { user: owner } = session;
  const order = encodeInventoryOrder({ owner, sourcePeer: self, targetPeer: peer, issuedMs: Date.now() });
  const authorization = await catalog.sign(session, 'inventory', order);
  const options: ListOptions = { signal, owner, authorization, ...(after !== undefined && { after }) };
  const chunks: ChunkSummary[] = [];
  for await (const summary of links.store(peer).list(options)) {
    chunks.push(summary);
    if (chunks.length === MAX_INVENTORY_PAGE) return { chunks, isLast: false };
  }
  return { chunks, isLast: true };
}

/** Those of a page whose stripes no file refers to, and that nobody is about to use or to delete. */
async function straysAmong(
  { catalog, outbox, pinned }: Engine,
  session: Session,
  peer: PeerId,
  chunks: readonly ChunkSummary[],
): Promise<Omit<Stray, 'peer'>[]> {
  const { user: owner } = session;
  const labelled = chunks.flatMap((summary) => {
    const stripe = stripeOf(summary, session);
    return stripe === undefined ? [] : [{ chunk: summary.id, bytes: summary.bytes, stripe }];
  });
  const badLabels = chunks.length - labelled.length;
  if (badLabels >= MAX_BAD_LABELS) {
    throw new StorageError('CORRUPT', `It showed ${String(badLabels)} labels that do not hold. Run a scrub there.`);
  }
  if (labelled.length === 0) return [];
  const intended = new Set(outbox.intents(owner).map(({ stripe }) => stripe));
  const unreferenced = new Set(await catalog.unreferenced(session, [...new Set(labelled.map(({ stripe }) => stripe))]));
  return labelled.filter(
    ({ chunk, stripe }) =>
      unreferenced.has(stripe) && !pinned.has(stripe) && !intended.has(stripe) && !outbox.has({ peer, owner, chunk }),
  );
}

/** Undefined for a chunk whose label the user did not sign: what it belongs to, nobody can say. */
function stripeOf({ id, bytes, label: signed }: ChunkSummary, { user }: Session): StripeId | undefined {
  try {
    const label = openLabel(signed);
    const isRight = label.owner === user && label.chunkBytes === bytes && label.chunks.includes(id);
    return isRight ? label.stripe : undefined;
  } catch (error) {
    if (StorageError.is(error, 'CORRUPT', 'LIMIT_EXCEEDED', 'PERMISSION_DENIED', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
