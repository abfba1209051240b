import { setTimeout as delay } from 'node:timers/promises';
import type { Placement } from '../../catalog/catalog.js';
import type { ChunkHeader, SegmentSource } from '../../chunk/chunk-store.js';
import { segmentRange } from '../../chunk/segments.js';
import { wrapError } from '../../errors.js';
import { SEND_RETRY_DELAYS_MS } from '../../limits.js';
import { answered, type WorkerContext } from './context.js';
import type { Authorization, Target } from './protocol.js';

export interface OutgoingChunk {
  readonly header: ChunkHeader;
  readonly bytes: Uint8Array;
}

export interface Sending {
  readonly context: WorkerContext;
  readonly authorization: Authorization;
  readonly signal: AbortSignal;
  /** Called with the bytes of each segment that leaves. */
  readonly onSent: (bytes: number) => void;
}

/**
 * Sends chunk i to target i, all at once. A transfer that breaks is resumed; a target that keeps failing is replaced by
 * the next spare one.
 *
 * @returns where each chunk was acknowledged; undefined = nowhere
 */
export async function sendChunks(
  chunks: readonly OutgoingChunk[],
  sending: Sending,
): Promise<(Placement | undefined)[]> {
  const { targets } = sending.authorization;
  const spares = targets.slice(chunks.length);
  return Promise.all(chunks.map((chunk, index) => sendToSome(chunk, targets[index], spares, sending)));
}

async function sendToSome(
  chunk: OutgoingChunk,
  first: Target | undefined,
  spares: Target[],
  sending: Sending,
): Promise<Placement | undefined> {
  for (let target = first; target !== undefined; target = spares.shift()) {
    const placement = await sendPatiently(chunk, target, sending, spares.length > 0);
    if (placement !== undefined) return placement;
  }
  return undefined;
}

/** Resumes a broken transfer; with spare targets about, a replacement is quicker than patience. */
async function sendPatiently(
  chunk: OutgoingChunk,
  target: Target,
  sending: Sending,
  haste: boolean,
): Promise<Placement | undefined> {
  const delays = haste || target.doubtful ? [] : SEND_RETRY_DELAYS_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(chunk, target, sending);
    } catch (error) {
      sending.signal.throwIfAborted();
      const retryIn = delays[attempt];
      const failure = wrapError(error, 'Sending a chunk');
      // A refusal is an answer: the peer is up, it only does not want this chunk.
      const refused = !failure.retryable || failure.code === 'NO_SPACE';
      if (!refused && retryIn === undefined) answered(sending.context, target.id);
      if (refused || retryIn === undefined) return undefined;
      await delay(retryIn, undefined, { signal: sending.signal });
    }
  }
}

async function send(
  chunk: OutgoingChunk,
  target: Target,
  { context, authorization, signal, onSent }: Sending,
): Promise<Placement> {
  const mover = await context.mover(target);
  const stored = await mover.put(chunk.header, sourceOf(chunk.bytes, onSent), { signal, grant: authorization.grant });
  answered(context, target.id, { bytes: 0, ms: 0 });
  return { peer: target.id, ...(stored.receipt === undefined ? {} : { receipt: stored.receipt }) };
}

function sourceOf(chunk: Uint8Array, onSent: (bytes: number) => void): SegmentSource {
  return async function* (missing) {
    for (const index of missing) {
      const bytes = chunk.subarray(...segmentRange(chunk.length, index));
      yield { index, bytes };
      onSent(bytes.length);
    }
  };
}
