import { currentRequest } from '../request-context.js';
import { traced, type Telemetry } from '../telemetry.js';
import type { GetEvents } from './get.js';
import type { PutEvents } from './put-file.js';
import {
  isFailure,
  type FetchedStripe,
  type FetchStripeJob,
  type StoredStripe,
  type StoreStripeJob,
} from './worker/protocol.js';

/** The same events, counted. */
export function countedPut(events: PutEvents, { counts: { put } }: Telemetry): PutEvents {
  return {
    ...events,
    onStored: (file, result) => {
      put.done++;
      events.onStored(file, result);
    },
    onFailed: (file, error) => {
      put.failed++;
      events.onFailed(file, error);
    },
  };
}

/** The same events, counted. */
export function countedGet<Events extends GetEvents>(events: Events, { counts: { get } }: Telemetry): Events {
  return {
    ...events,
    onFetched: (index: number) => {
      get.done++;
      events.onFetched(index);
    },
    onFailed: (...failure: Parameters<GetEvents['onFailed']>) => {
      get.failed++;
      events.onFailed(...failure);
    },
  };
}

/** One stripe that a worker stores, as a part of the request that it is stored for. */
export async function observeStore(
  { counts, tracer }: Telemetry,
  { pieces, k, m }: Pick<StoreStripeJob, 'pieces' | 'k' | 'm'>,
  store: () => Promise<StoredStripe>,
): Promise<StoredStripe> {
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  const attributes = { 'shoal.bytes': bytes, 'shoal.pieces': pieces.length, 'shoal.k': k, 'shoal.m': m };
  try {
    const stored = await traced(
      tracer,
      { name: 'store stripe', kind: 'client', of: currentRequest(), attributes },
      store,
    );
    counts.put.stripes++;
    for (const [index, outcome] of stored.outcomes.entries()) {
      if (!isFailure(outcome)) counts.put.bytes += pieces[index]?.bytes ?? 0;
    }
    if (stored.stripe?.placement.includes(undefined) === true) counts.degradedStripes++;
    return stored;
  } catch (error) {
    counts.put.failedStripes++;
    throw error;
  }
}

/** One stripe of which a worker brings some extents. */
export async function observeFetch(
  { counts, tracer }: Telemetry,
  { stripe, reads }: Pick<FetchStripeJob, 'stripe' | 'reads'>,
  fetch: () => Promise<FetchedStripe>,
): Promise<FetchedStripe> {
  const attributes = { 'shoal.stripe': stripe, 'shoal.reads': reads.length };
  try {
    const fetched = await traced(
      tracer,
      { name: 'fetch stripe', kind: 'client', of: currentRequest(), attributes },
      fetch,
    );
    counts.get.stripes++;
    for (const [index, { from, to }] of reads.entries()) {
      const outcome = fetched.outcomes[index];
      if (outcome === null || (outcome !== undefined && !isFailure(outcome))) counts.get.bytes += to - from;
    }
    for (const { segments } of fetched.corrupt) counts.corruptSegments += segments.length;
    return fetched;
  } catch (error) {
    counts.get.failedStripes++;
    throw error;
  }
}
