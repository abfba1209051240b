import type { Session } from '../../catalog/catalog.js';
import type { ChunkSummary, ListOptions } from '../../chunk/chunk-store.js';
import type { ChunkId, PeerId, StripeId } from '../../chunk/ids.js';
import { encodeInventoryOrder } from '../../chunk/inventory-order.js';
import { decodeLabel, openLabel, type ReadLabel } from '../../chunk/label.js';
import { decodeBounded } from '../../chunk/signed.js';
import { StorageError, wrapError } from '../../errors.js';
import { Signed } from '../../gen/shoal/v1/format.js';
import { MAX_BAD_LABELS, MAX_INVENTORY_PAGE, MAX_LABEL_BYTES } from '../../limits.js';
import type { Stray } from '../../store/stray-book.js';
import type { Engine } from '../engine.js';
import { heldAmong } from './homes.js';

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
  // A signature takes a tenth of a millisecond to verify, and matters only where something is to be deleted.
  const claimed = chunks.map((summary) => ({ summary, stripe: stripeOf(summary, session, readUnverified) }));
  const stripes = new Set(claimed.flatMap(({ stripe }) => stripe ?? []));
  const held = heldAmong({ outbox, pinned }, stripes);
  const unreferenced = new Set(stripes.size === 0 ? [] : await catalog.unreferenced(session, [...stripes]));
  const strays: Omit<Stray, 'peer'>[] = [];
  let badLabels = 0;
  for (const { summary, stripe } of claimed) {
    if (stripe !== undefined && !unreferenced.has(stripe)) continue;
    const { id: chunk, bytes } = summary;
    const proven = stripe && stripeOf(summary, session, openLabel);
    if (proven === undefined) badLabels++;
    else if (!held.has(proven) && !outbox.has({ peer, owner, chunk })) strays.push({ chunk, bytes, stripe: proven });
  }
  if (badLabels < MAX_BAD_LABELS) return strays;
  throw new StorageError('CORRUPT', `It showed ${String(badLabels)} labels that do not hold. Run a scrub there.`);
}

function readUnverified(signed: Uint8Array): ReadLabel {
  const decode = (bytes: Uint8Array): Uint8Array => Signed.decode(bytes).body;
  return decodeLabel(decodeBounded({ what: 'label', maxBytes: MAX_LABEL_BYTES, decode }, signed));
}

/** Undefined for a chunk whose label is not the user's, or not of this chunk: what it belongs to, nobody can say. */
function stripeOf(
  { id, bytes, label: signed }: ChunkSummary,
  { user }: Session,
  read: (signed: Uint8Array) => ReadLabel,
): StripeId | undefined {
  try {
    const label = read(signed);
    const isRight = label.owner === user && label.chunkBytes === bytes && label.chunks.includes(id);
    return isRight ? label.stripe : undefined;
  } catch (error) {
    if (StorageError.is(error, 'CORRUPT', 'LIMIT_EXCEEDED', 'PERMISSION_DENIED', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
