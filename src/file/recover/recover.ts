import type { Session, StripeRecord } from '../../catalog/catalog.js';
import type { StripeId } from '../../chunk/ids.js';
import { type StorageError, wrapError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { Slots } from '../slots.js';
import { BringBack, pathsOf, unknownOf } from './bring-back.js';
import { takeInventories, type PeerInventory } from './inventory.js';
import { readDirectory } from './read-directory.js';
import { claimedChunks, StripeClaims, type ClaimedStripe } from './stripe-claims.js';
import { VersionDrafts, type BrokenVersion, type FoundVersion } from './version-drafts.js';

/** A stripe whose directory could not be read: which files lie in it, nobody knows. */
export interface UnreadStripe {
  readonly stripe: StripeId;
  /** Chunks that some peer says to hold, and how many are needed. */
  readonly chunks: number;
  readonly k: number;
  readonly error: StorageError;
}

export interface RecoverEvents {
  /** A peer has told what it holds, or why not. */
  readonly onPeer: (told: PeerInventory) => void;
  /** All peers have told; so many stripes follow. */
  readonly onStripes: (stripes: number) => void;
  /** One more stripe was read, or given up. */
  readonly onStripe: () => void;
  readonly onUnread: (stripe: UnreadStripe) => void;
  /** A version of which something is missing. It does not come back. */
  readonly onBroken: (version: BrokenVersion) => void;
  /** A version is back at `path`; with `dryRun`, would come back there. */
  readonly onRecovered: (version: FoundVersion, path: string) => void;
  /** The catalog refused a version. */
  readonly onFailed: (version: FoundVersion, error: StorageError) => void;
}

export interface RecoverOptions extends RecoverEvents {
  readonly signal: AbortSignal;
  /** Changes nothing. */
  readonly dryRun: boolean;
}

/** What was found; the events tell which. */
export interface Recovered {
  readonly stripes: number;
  /** Versions that the catalog had already. */
  readonly known: number;
}

/**
 * Rebuilds a user's catalog from what lies on the peers: labels lead to stripes, their directories to files. Versions that
 * the catalog has, or has had, are left alone, so it may run any number of times, on a catalog that is empty or not.
 *
 * Files lie where they were stored last; folders without files, and moves after the last put, are known to no chunk.
 * Files that were removed come back for as long as a stripe that they shared with others is there.
 *
 * @throws StorageError LOCKED; whatever the catalog fails with; `signal.reason` on abort
 */
export async function recoverCatalog(engine: Engine, session: Session, options: RecoverOptions): Promise<Recovered> {
  const { signal, dryRun } = options;
  const claims = new StripeClaims(session.user);
  let unheard = 0;
  const onPeer = (told: PeerInventory): void => {
    if (told.failure !== undefined) unheard++;
    options.onPeer(told);
  };
  await takeInventories(engine, session, claims, { signal, onPeer });
  options.onStripes(claims.size);
  const drafts = new VersionDrafts();
  const records = await readDirectories(engine, session, { claims, drafts, options });
  for (const broken of drafts.broken()) options.onBroken(broken);
  const whole = drafts.whole();
  const paths = pathsOf(whole);
  const unknown = await unknownOf(engine, session, whole);
  if (dryRun) {
    for (const found of unknown) options.onRecovered(found, paths.get(found.manifest.file) ?? found.path);
  } else {
    await new BringBack(engine, session, { ...options, signal, records }).run(unknown, paths);
    // Of what lies at peers nobody knows any more why it does.
    await engine.strays.forget(session.user);
    // What nobody has a chunk of will not come back: only while somebody was away it might.
    if (unheard === 0 && records.size === claims.size) await engine.catalog.acceptLoss(session);
  }
  return { stripes: claims.size, known: whole.length - unknown.length };
}

interface Reading {
  readonly claims: StripeClaims;
  readonly drafts: VersionDrafts;
  readonly options: RecoverOptions;
}

async function readDirectories(
  engine: Engine,
  session: Session,
  { claims, drafts, options }: Reading,
): Promise<Map<StripeId, StripeRecord>> {
  const { signal } = options;
  const records = new Map<StripeId, StripeRecord>();
  const fatal: StorageError[] = [];
  const read = async (stripe: ClaimedStripe): Promise<void> => {
    try {
      const { record, entries } = await readDirectory(engine, session, stripe, signal);
      records.set(record.id, record);
      drafts.add(record.id, entries, claimedChunks(stripe) >= record.k);
    } catch (error) {
      if (signal.aborted) return;
      const failure = wrapError(error, 'Reading the directory of a stripe');
      const { stripe: id, k } = stripe.label;
      if (failure.code === 'LOCKED' || failure.code === 'INTERNAL') fatal.push(failure);
      else options.onUnread({ stripe: id, chunks: claimedChunks(stripe), k, error: failure });
    }
    options.onStripe();
  };
  const slots = new Slots(() => engine.pool.turns.take('get', claims, signal));
  try {
    for (const stripe of claims.stripes()) {
      if (fatal.length > 0) break;
      await slots.run(() => read(stripe));
    }
  } finally {
    await slots.idle();
  }
  signal.throwIfAborted();
  if (fatal[0] !== undefined) throw fatal[0];
  return records;
}
