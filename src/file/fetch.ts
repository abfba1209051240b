import type { Session } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { observeFetch } from './counted.js';
import type { ReadEngine } from './engine.js';
import { isFailure, type ExtentRead } from './worker/protocol.js';

export interface StripeReads {
  readonly stripe: StripeId;
  readonly reads: readonly ExtentRead[];
  readonly onProgress?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Has a worker bring some extents of one stripe.
 *
 * @returns for each read its plaintext, null when it went to a file, or why it failed
 * @throws StorageError when nothing of the stripe can be had
 */
export async function fetchStripe(
  engine: ReadEngine,
  session: Session,
  { stripe, reads, onProgress, signal }: StripeReads,
): Promise<(readonly Uint8Array[] | null | StorageError)[]> {
  const [record] = await engine.catalog.stripes([stripe]);
  if (record === undefined) throw await missing(engine, stripe);
  const { k, m, bytes, chunkBytes, chunks, placement } = record;
  const sources = placement.map((place) => (place === undefined ? undefined : engine.host.target(place.peer)));
  const pace = sources.map((source) => (source === undefined ? Number.POSITIVE_INFINITY : engine.book.pace(source.id)));
  const owner = { session, onProgress: onProgress ?? ((): void => undefined) };
  const { outcomes, corrupt } = await observeFetch(engine.telemetry, { stripe, reads }, () =>
    engine.host.withJob(owner, (job) =>
      engine.pool.fetchStripe({ job, stripe, k, m, bytes, chunkBytes, chunks, sources, pace, reads }, signal),
    ),
  );
  for (const { chunk, peer, segments } of corrupt) {
    if (peer === engine.self) engine.onOwnRot?.(chunk);
    engine.logger.warn(
      { chunk, peer, segments },
      'a peer sent segments that are not those of the chunk; others made up for it',
    );
  }
  return outcomes.map((outcome) =>
    outcome !== null && isFailure(outcome) ? new StorageError(outcome.code, outcome.message) : outcome,
  );
}

/** What is lost for good is damage; what has not come yet, or is unknown for another reason, may come. */
async function missing({ catalog }: ReadEngine, stripe: StripeId): Promise<StorageError> {
  const which = `stripe ${stripe.slice(0, 12)}… that a file refers to`;
  const isLost = (await catalog.problems()).some(
    ({ document, kind }) => document === `stripe-${stripe}` && kind === 'lost',
  );
  if (isLost) {
    return new StorageError('CORRUPT', `The record of ${which} was deleted or altered here. Run \`shoal recover\`.`);
  }
  return new StorageError(
    'UNAVAILABLE',
    `The catalog of this peer does not know ${which}: it has not come from a backup host yet. Try again in a moment; see \`shoal status\` when that does not help.`,
  );
}
