import type { Placement } from '../../catalog/catalog.js';
import type { ChunkHeader, SegmentSource } from '../../chunk/chunk-store.js';
import { segmentRange } from '../../chunk/segments.js';
import { type StorageError, wrapError } from '../../errors.js';
import { SEND_LAST_RESORT_DELAYS_MS, SEND_RETRY_DELAYS_MS } from '../../limits.js';
import { onAbort } from '../../on-abort.js';
import { answered, type WorkerContext } from './context.js';
import type { Authorization, Stray, Target } from './protocol.js';

/** Attempts to resume before a spare target takes the place of one that fails. */
const RETRIES_BEFORE_SPARE = 2;

export interface OutgoingChunk {
  readonly header: ChunkHeader;
  readonly bytes: Uint8Array;
}

export interface Sending {
  readonly context: WorkerContext;
  readonly authorization: Authorization;
  readonly signal: AbortSignal;
  /** Acknowledged chunks without which all of them are lost. */
  readonly required: number;
  /** Called with the bytes of each segment that leaves. */
  readonly onSent: (bytes: number) => void;
}

export interface Sent {
  /** Where each chunk was acknowledged; undefined = nowhere. */
  readonly placement: readonly (Placement | undefined)[];
  /** Chunks whose acknowledgement may only have been lost. */
  readonly strays: readonly Stray[];
}

/** What chunks of one stripe share while they are sent. */
interface Round extends Sending {
  readonly spares: Target[];
  readonly strays: Stray[];
}

/**
 * Sends chunk i to target i, all at once. A transfer that breaks is resumed; a target that keeps failing is replaced by
 * the next spare one. Where too few have acknowledged in the end, those that may come back are waited for: the stripe, and
 * with it the whole file, would have to be sent again.
 */
export async function sendChunks(chunks: readonly OutgoingChunk[], sending: Sending): Promise<Sent> {
  const { targets } = sending.authorization;
  const round: Round = { ...sending, spares: targets.slice(chunks.length), strays: [] };
  const placement = await Promise.all(chunks.map((chunk, index) => sendToSome(chunk, targets[index], round)));
  for (const waitMs of SEND_LAST_RESORT_DELAYS_MS) {
    const acknowledged = placement.filter((place) => place !== undefined).length;
    if (acknowledged >= sending.required || round.strays.length === 0) break;
    await pause(waitMs, sending.signal);
    await Promise.all(
      chunks.map(async (chunk, index) => {
        placement[index] ??= await sendOnceMore(chunk, round);
      }),
    );
  }
  return { placement, strays: round.strays };
}

/** To whoever failed to acknowledge this chunk before. */
async function sendOnceMore(chunk: OutgoingChunk, round: Round): Promise<Placement | undefined> {
  const { targets } = round.authorization;
  for (const stray of round.strays.filter(({ id }) => id === chunk.header.id)) {
    const target = targets.find(({ id }) => id === stray.peer);
    if (target === undefined) continue;
    try {
      const placement = await send(chunk, target, round);
      round.strays.splice(round.strays.indexOf(stray), 1);
      return placement;
    } catch (error) {
      round.signal.throwIfAborted();
      const failure = wrapError(error, 'Sending a chunk');
      // It refuses, for good: neither does it hold the chunk.
      if (!failure.retryable || failure.code === 'NO_SPACE') round.strays.splice(round.strays.indexOf(stray), 1);
    }
  }
  return undefined;
}

async function sendToSome(
  chunk: OutgoingChunk,
  first: Target | undefined,
  round: Round,
): Promise<Placement | undefined> {
  for (let target = first; target !== undefined; target = round.spares.shift()) {
    const placement = await sendPatiently(chunk, target, round);
    if (placement !== undefined) return placement;
  }
  return undefined;
}

/** Resumes a broken transfer: what has arrived is not sent again. With spare targets about, patience is shorter. */
async function sendPatiently(chunk: OutgoingChunk, target: Target, round: Round): Promise<Placement | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(chunk, target, round);
    } catch (error) {
      round.signal.throwIfAborted();
      const failure = wrapError(error, 'Sending a chunk');
      // A refusal is an answer: the peer is up, it only does not want this chunk.
      if (!failure.retryable || failure.code === 'NO_SPACE') return undefined;
      const retryIn = delaysFor(target, failure, round)[attempt];
      if (retryIn === undefined) {
        answered(round.context, target.id);
        round.strays.push({ id: chunk.header.id, peer: target.id });
        return undefined;
      }
      await pause(retryIn, round.signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, ms);
    const stopListening = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

function delaysFor(target: Target, failure: StorageError, { spares }: Round): readonly number[] {
  if (target.doubtful) return [];
  if (spares.length === 0) return SEND_RETRY_DELAYS_MS;
  // A peer that was silent for so long has had its chance.
  return failure.code === 'TIMEOUT' ? [] : SEND_RETRY_DELAYS_MS.slice(0, RETRIES_BEFORE_SPARE);
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
