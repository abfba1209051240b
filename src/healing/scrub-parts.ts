import type { Catalog } from '../catalog/catalog.js';
import type { ChunkStore } from '../chunk/chunk-store.js';
import type { ChunkId, StripeId } from '../chunk/ids.js';
import type { ScrubCount } from '../counts.js';
import type { StorageError } from '../errors.js';
import { MEND_RETRY_MAX_MS, MEND_RETRY_MIN_MS } from '../limits.js';
import type { Logger } from '../log.js';
import type { Mending } from '../store/mending.js';
import type { LostLabels } from './lost-labels.js';
import type { RebuildOptions } from './rebuild.js';
import type { CodedStripe, HealingNetwork } from './stripe-holders.js';

/** What scrubbing works with. */
export interface ScrubParts {
  readonly network: HealingNetwork & { readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'> };
  /** This peer's own. */
  readonly store: Pick<ChunkStore, 'put'> & { readonly mending: Mending };
  readonly count: ScrubCount;
  /** Unix time. */
  readonly clock: () => number;
  readonly logger: Logger;
  readonly labels: LostLabels;
  /** Comes back when no transfer is in the way. */
  readonly turn: (signal: AbortSignal) => Promise<void>;
}

/** From the others of its stripe; what moves is counted. */
export function rebuildOf(
  { network, count }: ScrubParts,
  { stripe, index }: { readonly stripe: CodedStripe; readonly index: number },
  signal: AbortSignal,
): RebuildOptions {
  const onMoved = (bytes: number): void => {
    count.movedBytes += bytes;
  };
  return { stripe, index, network, signal, onMoved };
}

export function noteHealed({ count }: ScrubParts, healed: { readonly segments: number; readonly bytes: number }): void {
  count.healedSegments += healed.segments;
  count.healedBytes += healed.bytes;
}

/** It is said, and tried again later. */
export function noteFailure(
  { store, clock, count, logger }: ScrubParts,
  { id, stripe }: { readonly id: ChunkId; readonly stripe: StripeId | undefined },
  { code, message }: StorageError,
): void {
  const { scrubs } = store.mending;
  const tries = scrubs.damage(id)?.tries ?? 0;
  const waitMs = Math.min(MEND_RETRY_MAX_MS, MEND_RETRY_MIN_MS * 2 ** Math.min(tries, 30));
  const nowMs = clock();
  scrubs.noteDamage({ id, stripe, reason: message, foundMs: nowMs, nextTryMs: nowMs + waitMs });
  count.failures++;
  logger.warn({ chunk: id, code, reason: message }, 'a damaged chunk could not be mended; it is tried again');
}
