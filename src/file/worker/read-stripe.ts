import { segmentsFor } from '../../chunk/stripe-layout.js';
import type { WorkerContext } from './context.js';
import { fetcher } from './fetch-stripe.js';
import type { ReadStripe, ReadStripeJob } from './protocol.js';
import { StripeFetch } from './stripe-fetch.js';

/**
 * Brings a range of a stripe as it is coded, seals and all. Every segment is checked against its chunk's hash list, so the
 * bytes are those that the stripe's label names; wrong ones are fetched elsewhere.
 */
export async function readStripe(job: ReadStripeJob, context: WorkerContext, signal: AbortSignal): Promise<ReadStripe> {
  return context.withBuffer(signal, async (buffer) => {
    buffer.shape(job.k, job.m, job.chunkBytes);
    const parts = segmentsFor(job.range, job.k, job.chunkBytes);
    const wanted = new Map(parts.map(({ index, segments }) => [index, new Set(segments)]));
    const rows = new Set(parts.flatMap(({ segments }) => segments));
    const fetch = new StripeFetch(job, buffer, fetcher(job, context));
    for (;;) {
      await fetch.load(wanted, signal);
      // Every round has at least one segment less to take from somebody, so this ends.
      if (fetch.discardCorrupt(rows).size === 0) break;
    }
    return { bytes: buffer.data().slice(job.range.start, job.range.end) };
  });
}
