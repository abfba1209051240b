import type { FreedStripe, Session } from '../catalog/catalog.js';
import { encodeDeleteOrder } from '../chunk/grant.js';
import type { PeerId, StripeId } from '../chunk/ids.js';
import { wrapError } from '../errors.js';
import { DELETE_ATTEMPT_MS, DELETE_RETRY_MIN_MS, REMOVAL_POLL_MS } from '../limits.js';
import { rest } from '../on-abort.js';
import type { DeleteBatch, Intent, PendingDelete } from '../store/outbox.js';
import { timeLimit } from '../time-limit.js';
import type { Engine } from './engine.js';
import { stillRight, unreferencedOf } from './still-right.js';

export interface Removed {
  readonly files: number;
  /** Chunks whose deletion is not done yet: their peers have not acknowledged it, or the record of their stripe is still there. It is tried again. */
  readonly pendingChunks: number;
  /** Peers of the user that have not heard of a removal for ever: the space is given back when they have. */
  readonly pendingHomes: number;
  /** Their names. */
  readonly homes: readonly string[];
  /** What was asked of each peer so far. */
  readonly peers: readonly Acknowledgement[];
}

/** How far a peer is with the chunks that it was told to delete. */
export interface Acknowledgement {
  readonly peer: PeerId;
  readonly name: string;
  readonly chunks: number;
  /** Of them, those whose deletion is not done yet. */
  readonly waiting: number;
  /** It is no member any more, and will not be asked again. */
  readonly removed: boolean;
}

export interface RemovePathOptions {
  readonly recursive: boolean;
  /** Not into the trash, and also from there: only then is space given back. */
  readonly forever?: boolean;
  readonly signal: AbortSignal;
}

/** Removes a file, or a folder with all that is in it: into the trash, or for ever. */
export async function removePath(
  engine: Engine,
  session: Session,
  path: string,
  options: RemovePathOptions,
): Promise<Removed> {
  const { recursive, forever = false, signal } = options;
  const { files } = await engine.catalog.remove(session, path, { recursive, forever });
  return forever
    ? { files, ...(await giveBack(engine, session, signal)) }
    : { files, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] };
}

/** Removes for ever what was put into the trash, and not touched since, before `untilMs` (Unix time). */
export async function emptyTrash(
  engine: Engine,
  session: Session,
  options: { readonly untilMs: number; readonly signal: AbortSignal },
): Promise<Removed> {
  const { files } = await engine.catalog.emptyTrash(session, options.untilMs);
  return { files, ...(await giveBack(engine, session, options.signal)) };
}

/** Gives the space back at every peer that answers, as soon as the homes of the user have. What is left to do is done later. */
async function giveBack(engine: Engine, session: Session, signal: AbortSignal): Promise<Omit<Removed, 'files'>> {
  using limit = timeLimit(DELETE_ATTEMPT_MS, signal);
  const attempt = limit.signal;
  // A large folder has very many stripes.
  const stripes: StripeId[] = [];
  const asked = new Map<PeerId, number>();
  const onFreed = ({ stripe, chunks }: FreedStripe): void => {
    stripes.push(stripe);
    for (const { peer } of chunks) add(asked, peer, 1);
  };
  let awaited: readonly PeerId[] = [];
  do {
    awaited = await carryOutRemovals(engine, session, signal, onFreed);
    if (awaited.length > 0) await rest(REMOVAL_POLL_MS, attempt);
  } while (awaited.length > 0 && !attempt.aborted);
  await deliverDeletes(engine, session, attempt);
  const peers = acknowledgements(engine, stripes, asked);
  const pendingChunks = peers.reduce((sum, { waiting }) => sum + waiting, 0);
  const homes = awaited.map((peer) => engine.book.nameOf(peer));
  return { pendingChunks, pendingHomes: awaited.length, homes, peers };
}

/** @param asked how many chunks of these stripes each peer is to delete */
function acknowledgements(
  engine: Engine,
  stripes: readonly StripeId[],
  asked: ReadonlyMap<PeerId, number>,
): Acknowledgement[] {
  const waiting = new Map<PeerId, number>();
  for (const stripe of stripes) {
    for (const [peer, left] of engine.outbox.waitingOf(stripe)) add(waiting, peer, left);
  }
  return [...asked].map(([peer, chunks]) => {
    const removed = engine.book.get(peer)?.state === 'removed';
    return { peer, name: engine.book.nameOf(peer), chunks, waiting: waiting.get(peer) ?? 0, removed };
  });
}

function add(counts: Map<PeerId, number>, peer: PeerId, more: number): void {
  counts.set(peer, (counts.get(peer) ?? 0) + more);
}

/**
 * Carries out the removals for ever that every home of the user knows of. Their stripes are written down before the catalog
 * forgets what referred to them: whatever interrupts this, `collectOrphans` finds those that nothing refers to any more.
 *
 * @param onFreed told of each stripe whose deletion is noted
 * @returns which homes have not answered to the other removals
 */
export async function carryOutRemovals(
  engine: Engine,
  session: Session,
  signal: AbortSignal,
  onFreed: (freed: FreedStripe) => void = () => undefined,
): Promise<readonly PeerId[]> {
  for (;;) {
    const { due, waitingFor } = await engine.catalog.dueRemovals(session);
    // There may be very many: what is left is due the next time.
    if (due.length === 0 || signal.aborted) return waitingFor;
    const touched = new Map(due.flatMap(({ stripes }) => stripes.map((stripe) => [stripe.stripe, stripe])));
    const nodes = due.map(({ node }) => node);
    for (const freed of await carryOut(engine, session, nodes, touched)) onFreed(freed);
  }
}

async function carryOut(
  { catalog, outbox, pinned, ...engine }: Engine,
  session: Session,
  nodes: readonly string[],
  touched: ReadonlyMap<StripeId, FreedStripe>,
): Promise<readonly FreedStripe[]> {
  const intents = [...touched.values()].map((stripe) => intentOf(stripe, session));
  // Another file of a put under way may lie in a stripe that is pinned: that is looked at when the put has ended.
  const mine = [...touched.keys()].filter((stripe) => !pinned.has(stripe));
  for (const stripe of mine) pinned.add(stripe);
  try {
    await outbox.intendAll(intents);
    const unused = new Set(await catalog.carryOutRemovals(session, nodes));
    const freed = mine.filter((stripe) => unused.has(stripe));
    // The others are left to `collectOrphans`: a file may refer to them, or somebody else has carried this out meanwhile.
    const places = freed.flatMap((stripe) => touched.get(stripe) ?? []);
    await freeStripes({ catalog, outbox, pinned, ...engine }, session, places);
    return places;
  } finally {
    for (const stripe of mine) pinned.delete(stripe);
  }
}

function intentOf({ stripe, chunks }: FreedStripe, { user }: Session): Intent {
  return { stripe, owner: user, chunks: chunks.map(({ id }) => id), targets: chunks.map(({ peer }) => peer) };
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

/** Notes chunks to be deleted that lie where they should not, of a stripe that is in use. */
export async function freeStrays(engine: Engine, session: Session, { stripe, chunks }: FreedStripe): Promise<void> {
  const owner = session.user;
  const deletes = chunks.map(({ id: chunk, peer }): PendingDelete => ({ peer, owner, chunk, stripe, stays: true }));
  await engine.outbox.add(deletes, DELETE_RETRY_MIN_MS);
}

/**
 * Gives back what puts that ended otherwise than they should have left at peers: stripes of whom no file knows. Those of
 * puts under way are left alone. Costs one small read where there is nothing to do.
 */
export async function collectOrphans(engine: Engine, session: Session): Promise<void> {
  const { outbox, pinned } = engine;
  const left = outbox.intents(session.user).filter(({ stripe }) => !pinned.has(stripe));
  if (left.length === 0) return;
  const ids = left.map(({ stripe }) => stripe);
  const unreferenced = await unreferencedOf(engine, session, ids);
  if (unreferenced === undefined) return;
  const orphans = new Set(unreferenced);
  const freed = left.filter(({ stripe }) => orphans.has(stripe)).map(placesOf);
  if (freed.length > 0) {
    engine.logger.info({ stripes: freed.length }, 'stripes that no file refers to are deleted');
    await freeStripes(engine, session, freed, { later: true });
  }
  // A removal that has begun meanwhile has noted its intents anew.
  outbox.settle(ids.filter((stripe) => !pinned.has(stripe)));
  await outbox.flush();
}

/** Everywhere that chunks of a stripe may have come to lie. */
export function placesOf({ stripe, chunks, targets }: Intent): FreedStripe {
  const spares = targets.slice(chunks.length);
  const perhaps = chunks.flatMap((id, index) =>
    [...targets.slice(index, index + 1), ...spares].map((peer) => ({ id, peer })),
  );
  return { stripe, chunks: perhaps };
}

/** Sends what the owner's outbox holds and is due, to all peers at once. What a peer refuses or misses is tried later. */
export async function deliverDeletes(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  for (;;) {
    const due = engine.outbox.due(session.user);
    if (due.length === 0 || signal.aborted) return;
    const batches = await stillRight(engine, session, due);
    const delivered = await Promise.all(batches.map((batch) => deliver(engine, session, batch, signal)));
    await engine.outbox.done(delivered.flat(), (stripes) => forget(engine, session, stripes));
  }
}

/** Nobody asks again for the record of a stripe whose deletes are all done. */
async function forget({ catalog, logger }: Engine, session: Session, stripes: readonly StripeId[]): Promise<void> {
  try {
    await catalog.forgetStripes(session, stripes);
  } catch (error) {
    const { code, message } = wrapError(error, 'Deleting the records of stripes');
    logger.warn(
      { code, reason: message, stripes: stripes.length },
      'the deletes of stripes that cannot be forgotten wait',
    );
    throw error;
  }
}

async function deliver(
  engine: Engine,
  session: Session,
  batch: DeleteBatch,
  signal: AbortSignal,
): Promise<readonly PendingDelete[]> {
  const { peer, deletes } = batch;
  if (engine.book.get(peer)?.state === 'removed') {
    // It will not be asked again, and what it holds is lost to the network with it.
    return deletes;
  }
  try {
    const chunks = deletes.map(({ chunk }) => chunk);
    const order = encodeDeleteOrder({ owner: session.user, targetPeer: peer, chunks, issuedMs: Date.now() });
    const authorization = await engine.catalog.sign(session, 'delete', order);
    await engine.links.store(peer).delete(session.user, chunks, { signal, authorization });
    return deletes;
  } catch (error) {
    const { code, message } = wrapError(error, 'Deleting chunks');
    engine.logger.debug({ peer, code, chunks: deletes.length }, 'chunks wait for their deletion');
    await engine.outbox.postpone(deletes, message);
    return [];
  }
}
