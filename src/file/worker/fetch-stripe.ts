import type { ChunkId } from '../../chunk/ids.js';
import { verifyShape } from '../../chunk/segments.js';
import { segmentsFor } from '../../chunk/stripe-layout.js';
import { sealedRange, unsealExtent, unsealRange } from '../../crypto/seal.js';
import type { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { StorageError, wrapError } from '../../errors.js';
import { HEDGE_AFTER_MS } from '../../limits.js';
import { answered, ProgressReport, sentCorrupt, type WorkerContext } from './context.js';
import type { ExtentRead, Failure, FetchedStripe, FetchStripeJob } from './protocol.js';
import { StripeFetch, type FetchChunk } from './stripe-fetch.js';
import { writeOutput } from './write-output.js';

type Corrupt = FetchedStripe['corrupt'][number];

/** segments → any k chunks → decode → unseal → file: the whole way back of one stripe's extents. */
export async function fetchStripe(
  job: FetchStripeJob,
  context: WorkerContext,
  signal: AbortSignal,
): Promise<FetchedStripe> {
  return context.withBuffer(signal, async (buffer) => {
    buffer.shape(job.k, job.m, job.chunkBytes);
    const fetch = new StripeFetch(job, buffer, fetcher(job, context));
    const progress = new ProgressReport(
      context,
      job.job,
      job.reads.reduce((sum, { from, to }) => sum + to - from, 0),
    );
    const corrupt: Corrupt[] = [];
    await fetch.load(rowsOf(job, job.reads), signal);
    const outcomes: (readonly Uint8Array[] | Failure | null)[] = [];
    for (const read of job.reads) {
      signal.throwIfAborted();
      try {
        outcomes.push(await deliverHealing({ job, context, fetch, buffer, corrupt, signal }, read));
        progress.add(read.to - read.from);
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = wrapError(error, 'Reading a file');
        outcomes.push({ code, message });
      }
    }
    progress.finish();
    return { outcomes, corrupt };
  });
}

/** How this stripe's chunks are asked for; the peer's answer is remembered for the next choice of sources. */
export function fetcher(job: Omit<FetchStripeJob, 'reads'>, context: WorkerContext): FetchChunk {
  return async (index, segments, signal) => {
    const id = job.chunks[index];
    const source = job.sources[index];
    if (id === undefined || source === undefined) throw new StorageError('NOT_FOUND', 'No peer holds this chunk.');
    const startMs = performance.now();
    /** One that is cancelled was slower than others: its pace so far tells; a stall tells as much as a failure. */
    const fell = (bytes: number, error: unknown): void => {
      const ms = performance.now() - startMs;
      if (!signal.aborted && StorageError.is(error, 'CORRUPT')) sentCorrupt(context, source.id);
      else if (!signal.aborted || (bytes === 0 && ms >= HEDGE_AFTER_MS)) answered(context, source.id);
      else if (bytes > 0) answered(context, source.id, { bytes, ms });
    };
    try {
      const mover = await context.mover(source);
      const chunk = await mover.get(id, { signal, segments });
      verifyShape(id, chunk.shape);
      let bytes = 0;
      const counted = async function* (): AsyncGenerator<{ index: number; bytes: Uint8Array }> {
        try {
          for await (const segment of chunk.segments) {
            bytes += segment.bytes.length;
            yield segment;
          }
        } catch (error) {
          fell(bytes, error);
          throw error;
        }
        answered(context, source.id, { bytes, ms: performance.now() - startMs });
      };
      return { shape: chunk.shape, segments: counted() };
    } catch (error) {
      fell(0, error);
      throw error;
    }
  };
}

/** The bytes of the sealed extent that a read needs: all of it with its header, or only the blocks of a range. */
function sealedPlace({ extent, from, to }: ExtentRead): { readonly start: number; readonly end: number } {
  if (from === 0 && to === extent.bytes) return { start: extent.offset, end: extent.offset + extent.sealedBytes };
  const range = sealedRange(from, to, extent.bytes);
  return { start: extent.offset + range.start, end: extent.offset + range.end };
}

function rowsOf(job: FetchStripeJob, reads: readonly ExtentRead[]): Map<number, Set<number>> {
  const wanted = new Map<number, Set<number>>();
  for (const read of reads) {
    for (const { index, segments } of segmentsFor(sealedPlace(read), job.k, job.chunkBytes)) {
      let rows = wanted.get(index);
      if (rows === undefined) wanted.set(index, (rows = new Set()));
      for (const row of segments) rows.add(row);
    }
  }
  return wanted;
}

/** Every block that it yields is authentic and in its place. */
function openExtent(buffer: StripeBuffer, read: ExtentRead): Iterable<Uint8Array> {
  const { start, end } = sealedPlace(read);
  const { extent, from, to } = read;
  const sealed = buffer.data().subarray(start, end);
  if (from === 0 && to === extent.bytes) return unsealExtent(extent.key, sealed);
  return unsealRange(extent.key, sealed, sealedRange(from, to, extent.bytes));
}

async function deliver(buffer: StripeBuffer, read: ExtentRead): Promise<readonly Uint8Array[] | null> {
  const blocks = openExtent(buffer, read);
  if (read.output === undefined) return [...blocks];
  await writeOutput(blocks, read.to - read.from, read.output);
  return null;
}

interface Healing {
  readonly job: FetchStripeJob;
  readonly context: WorkerContext;
  readonly fetch: StripeFetch;
  readonly buffer: StripeBuffer;
  readonly corrupt: Corrupt[];
  readonly signal: AbortSignal;
}

/**
 * Opens an extent and delivers its plaintext; where its seal does not hold, finds the wrong segments, gets them elsewhere
 * and begins this read again.
 */
async function deliverHealing(
  { job, context, fetch, buffer, corrupt, signal }: Healing,
  read: ExtentRead,
): Promise<readonly Uint8Array[] | null> {
  for (;;) {
    try {
      return await deliver(buffer, read);
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
      const wanted = rowsOf(job, [read]);
      const rows = new Set([...wanted.values()].flatMap((some) => [...some]));
      const culprits = fetch.discardCorrupt(rows, (chunk) => {
        const liar = job.sources[chunk];
        if (liar !== undefined) sentCorrupt(context, liar.id);
      });
      if (culprits.size === 0) throw error;
      for (const [index, segments] of culprits) {
        const chunk: ChunkId | undefined = job.chunks[index];
        const peer = job.sources[index]?.id;
        if (chunk !== undefined && peer !== undefined) corrupt.push({ chunk, peer, segments });
      }
      // Every round has at least one segment less to take from somebody, so this ends.
      await fetch.load(wanted, signal);
    }
  }
}
