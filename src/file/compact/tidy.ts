import type { Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { carryOutRemovals, collectOrphans, deliverDeletes } from '../remove.js';
import { type Compacted, compactStripes, type CompactOptions } from './compact.js';
import { COMPACT_INTERVAL_MS, COMPACT_RETRY_MS } from './compaction-book.js';
import { findSparse, inTurn, type SparseStripe } from './sparse-stripes.js';

/** Whoever reads by a manifest of before, a film for hours, still finds all where it was. */
export const MOVED_GRACE_MS = 24 * 60 * 60 * 1000;
/** Of space that would be given back: for less nothing is stored anew unasked. */
export const LEAST_DEAD_BYTES = 4 * 1024 * 1024;
/** That are stored anew in one go: other housekeeping waits as long. */
const MOST_BYTES_UNASKED = 64 * 1024 * 1024;
const MOST_STRIPES_UNASKED = 1_000;

const NOTHING: Compacted = { stripes: 0, versions: 0, movedBytes: 0, deadBytes: 0, passedOver: 0 };

/** Gives up, for the homes of the user to agree to, the places of MOVED_GRACE_MS ago that nothing needs any more. */
export async function giveUpPlaces({ catalog, compaction }: Engine, session: Session): Promise<void> {
  const { user } = session;
  compaction.noteWaiting(user, await catalog.compaction.giveUpMoved(session, compaction.nowMs - MOVED_GRACE_MS));
}

/** Looks for sparse stripes now and then, and stores anew what is needed of them where that gives back enough. */
export async function compactSparse(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  const { compaction } = engine;
  const { user } = session;
  if (!compaction.isDue(user)) return;
  // Somebody has asked for one, which may take long: housekeeping does not wait for that.
  await compaction.alone(async () => {
    compaction.again(user, COMPACT_RETRY_MS);
    const sparse = await look(engine, session, signal);
    if (sparse === undefined) return;
    const isWorthIt = deadBytes(sparse) >= LEAST_DEAD_BYTES;
    if (isWorthIt && (await compactSome(engine, session, sparse, signal)) === 'more') return;
    compaction.again(user, COMPACT_INTERVAL_MS);
  });
}

/** Goes on behind those that it has tried: what cannot be moved keeps nobody from his turn. */
async function compactSome(
  engine: Engine,
  session: Session,
  sparse: readonly SparseStripe[],
  signal: AbortSignal,
): Promise<'more' | 'all'> {
  const { compaction } = engine;
  const { user } = session;
  const some = inTurn(sparse, compaction.triedUntil(user), MOST_STRIPES_UNASKED);
  const options = { signal, young: false, mostBytes: MOST_BYTES_UNASKED };
  const { movedBytes } = await compact(engine, session, some, options);
  if (movedBytes >= MOST_BYTES_UNASKED) return 'more';
  const last = some.at(-1);
  const isAll = last === sparse.at(-1);
  compaction.noteTried(user, isAll ? undefined : last?.stripe);
  return isAll ? 'all' : 'more';
}

export interface CompactNowOptions {
  readonly signal: AbortSignal;
  /** Gives the places back as soon as the homes agree: reads that are under way may fail. */
  readonly giveBack: boolean;
  readonly onProgress: (so: Compacted) => void;
}

export interface CompactedNow extends Compacted {
  /** Places that nobody needs any more, and that are not given back yet. */
  readonly waiting: number;
}

/**
 * Stores anew what is needed of all sparse stripes, however little that gives back.
 *
 * @throws StorageError CONFLICT while keys are rotated, or a compaction is under way; as compactStripes
 */
export async function compactNow(engine: Engine, session: Session, options: CompactNowOptions): Promise<CompactedNow> {
  const { signal, giveBack, onProgress } = options;
  const { catalog, compaction } = engine;
  const compacted = compaction.alone(async () => {
    const sparse = await look(engine, session, signal);
    if (sparse === undefined) {
      throw new StorageError('CONFLICT', 'The keys of this user are being rotated. Compact when that is done.');
    }
    const all = { signal, young: true, mostBytes: Number.POSITIVE_INFINITY, onProgress };
    const done = sparse.length === 0 ? NOTHING : await compact(engine, session, sparse, all);
    const giveUp = (untilMs: number): Promise<number> => catalog.compaction.giveUpMoved(session, untilMs);
    let waiting = await giveUp(giveBack ? Number.MAX_SAFE_INTEGER : compaction.nowMs - MOVED_GRACE_MS);
    if (giveBack) {
      await carryOutRemovals(engine, session, signal);
      await deliverDeletes(engine, session, signal);
      waiting = await giveUp(0);
    }
    compaction.noteWaiting(session.user, waiting);
    return { ...done, waiting };
  });
  if (compacted === undefined)
    throw new StorageError('CONFLICT', 'A compaction is under way. Try again when it has ended.');
  return compacted;
}

/** @returns undefined while keys are rotated: what was written under former ones may not all be in the catalog yet */
async function look(
  engine: Engine,
  session: Session,
  signal: AbortSignal,
): Promise<readonly SparseStripe[] | undefined> {
  if ((await engine.catalog.keyRotation(session)).state !== 'none') return undefined;
  // What a removal has looked into is held back until then.
  await collectOrphans(engine, session);
  const sparse = await findSparse(engine, session, signal);
  const liveBytes = sparse.reduce((sum, one) => sum + one.liveBytes, 0);
  engine.compaction.noteFound(session.user, { stripes: sparse.length, liveBytes, deadBytes: deadBytes(sparse) });
  return sparse;
}

async function compact(
  engine: Engine,
  session: Session,
  sparse: readonly SparseStripe[],
  options: CompactOptions,
): Promise<Compacted> {
  const { telemetry, logger } = engine;
  const compacted = await compactStripes(engine, session, sparse, options);
  telemetry.counts.compaction.stripes += compacted.stripes;
  telemetry.counts.compaction.movedBytes += compacted.movedBytes;
  telemetry.counts.compaction.deadBytes += compacted.deadBytes;
  if (compacted.stripes > 0)
    logger.info({ user: session.user, ...compacted }, 'what was needed of sparse stripes is stored anew');
  return compacted;
}

function deadBytes(sparse: readonly SparseStripe[]): number {
  return sparse.reduce((sum, one) => sum + one.deadBytes, 0);
}
