import type { Session, StripeRecord } from '../../catalog/catalog.js';
import { unsealDirectory, type DirectoryExtent } from '../../chunk/directory.js';
import type { ChunkId, PeerId } from '../../chunk/ids.js';
import { openLabel } from '../../chunk/label.js';
import { StorageError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { claimOf, recordOf, type ClaimedStripe } from './stripe-claims.js';

export interface ReadDirectory {
  /** With the places that proved right, as far as they were tried. */
  readonly record: StripeRecord;
  readonly entries: readonly DirectoryExtent[];
}

/**
 * Fetches and opens the directory of a stripe, from any k of its chunks. Where that fails and chunks are claimed by several
 * peers, each claim is put to the proof and the stripe read again with those that hold.
 *
 * @throws StorageError UNAVAILABLE when fewer than k chunks can be had; CORRUPT when it does not open; LOCKED
 */
export async function readDirectory(
  engine: Engine,
  session: Session,
  stripe: ClaimedStripe,
  signal: AbortSignal,
): Promise<ReadDirectory> {
  try {
    return await openDirectory(engine, session, recordOf(stripe), signal);
  } catch (error) {
    signal.throwIfAborted();
    const contested = stripe.holders.some((peers) => peers.length > 1);
    if (!contested || !StorageError.is(error, 'UNAVAILABLE', 'NOT_FOUND', 'TIMEOUT', 'CORRUPT')) throw error;
    const record = recordOf(stripe, await falseClaims(engine, stripe, signal));
    return await openDirectory(engine, session, record, signal);
  }
}

/** By the record alone. @throws StorageError as readDirectory */
export async function openDirectory(
  engine: Engine,
  session: Session,
  record: StripeRecord,
  signal: AbortSignal,
): Promise<ReadDirectory> {
  const { directoryOffset: start, directoryBytes, generation } = openLabel(record.label);
  const { k, m, bytes, chunkBytes, chunks, placement, id } = record;
  const sources = placement.map((place) => (place === undefined ? undefined : engine.host.target(place.peer)));
  const pace = sources.map((source) => (source === undefined ? Number.POSITIVE_INFINITY : engine.book.pace(source.id)));
  const range = { start, end: start + directoryBytes };
  const owner = { session, onProgress: (): void => undefined };
  const { bytes: sealed } = await engine.host.withJob(owner, (job) =>
    engine.pool.readStripe({ job, stripe: id, k, m, bytes, chunkBytes, chunks, sources, pace, range }, signal),
  );
  const entries = await unsealDirectory(sealed, start, (salt) =>
    engine.catalog.directoryKey(session, salt, generation),
  );
  return { record, entries };
}

/** A peer is asked for the chunk's first segment. @throws StorageError when it does not have it */
async function prove(
  engine: Engine,
  { peer, chunk, signal }: { readonly peer: PeerId; readonly chunk: ChunkId; readonly signal: AbortSignal },
): Promise<void> {
  if (peer !== engine.self) await engine.links.remote(peer).audit(chunk, 0, { signal });
  // What is wrong with the own disk shows when it is read, and is made up for by the others.
}

/** Asks everybody who claims a contested chunk for its first segment. */
async function falseClaims(engine: Engine, stripe: ClaimedStripe, signal: AbortSignal): Promise<Set<string>> {
  const wrong = new Set<string>();
  const proofs = stripe.holders.flatMap((peers, index) =>
    peers.length < 2
      ? []
      : peers.map(async (peer) => {
          const chunk = stripe.label.chunks[index];
          try {
            if (chunk !== undefined) await prove(engine, { peer, chunk, signal });
          } catch {
            // Whatever is wrong, it does not give the chunk now.
            signal.throwIfAborted();
            wrong.add(claimOf(peer, index));
          }
        }),
  );
  await Promise.all(proofs);
  return wrong;
}
