import { randomBytes } from 'node:crypto';
import type { Session } from '../catalog/catalog.js';
import type { LiveVersion } from '../catalog/compaction.js';
import { DIRECTORY_SALT_BYTES } from '../chunk/directory.js';
import { StorageError } from '../errors.js';
import { requiredReceipts, type Scheme } from '../peers/scheme.js';
import { observeStore } from './counted.js';
import type { Engine } from './engine.js';
import type { JobOwner } from './stripe-host.js';
import type { Piece, StoredStripe } from './worker/protocol.js';

export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly mentions: readonly LiveVersion[];
  readonly scheme: Scheme;
}

/** Stores pieces of files as one stripe. What came of it may be too little: see demandReceipts. */
export async function storePieces(
  engine: Engine,
  owner: JobOwner,
  { pieces, mentions, scheme }: Pieces,
  signal: AbortSignal,
): Promise<StoredStripe> {
  const directorySalt = randomBytes(DIRECTORY_SALT_BYTES);
  const session: Session = owner.session;
  const directoryKey = await engine.catalog.directoryKey(session, directorySalt);
  return observeStore(engine.telemetry, { pieces, ...scheme }, () =>
    engine.host.withJob(owner, (job) =>
      engine.pool.storeStripe({ job, ...scheme, pieces, mentions, directorySalt, directoryKey }, signal),
    ),
  );
}

/**
 * @returns how many of its chunks no peer has acknowledged
 * @throws StorageError UNAVAILABLE when so many are missing that the stripe is not safe
 */
export function demandReceipts(stripe: NonNullable<StoredStripe['stripe']>): number {
  const { chunks, placement } = stripe;
  const acknowledged = placement.filter((place) => place !== undefined).length;
  if (acknowledged < requiredReceipts(stripe)) {
    throw new StorageError(
      'UNAVAILABLE',
      `Only ${String(acknowledged)} of ${String(chunks.length)} peers took their part of it, and ${String(requiredReceipts(stripe))} are needed to keep it safe. Nothing of it was kept: see \`shoal status\` for who is missing, and put it again.`,
    );
  }
  return chunks.length - acknowledged;
}
