import type { ExtentRef, Manifest, Session } from '../catalog/catalog.js';
import { assert, StorageError } from '../errors.js';
import { FIRST_READ_BYTES, MODEST_READ_BYTES } from '../limits.js';
import type { ReadEngine } from './engine.js';
import { fetchStripe } from './fetch.js';

export interface ReadRange {
  /** First byte of the file. */
  readonly from: number;
  /** One past the last byte. */
  readonly to: number;
}

interface Step {
  readonly extent: ExtentRef;
  readonly from: number;
  readonly to: number;
}

/** A step under way, and what its bytes in memory are allowed by. */
interface Ahead {
  readonly settled: Promise<Settled>;
  readonly release: (() => void) | undefined;
}

/**
 * The plaintext of a range of a file, in order. The first steps are small, so that the first byte comes after one round
 * trip and a segment or two; later ones are whole extents, some of them on their way while the reader takes its time. When
 * other readers have what memory there is for that, the steps stay small and come one by one.
 *
 * @throws StorageError INVALID_ARGUMENT for a range outside the file; what fetching says; `signal.reason` on abort
 */
export async function* readFile(
  engine: ReadEngine,
  session: Session,
  {
    manifest,
    range,
    signal: outer,
  }: { readonly manifest: Manifest; readonly range: ReadRange; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const share = engine.pool.ahead.join();
  const ahead: Ahead[] = [];
  const { get } = engine.telemetry.counts;
  const steps = stepsOf(manifest, range);
  const begin = (): boolean => {
    const release = share.take();
    if (release === undefined && ahead.length > 0) return false;
    const step = steps.next(release === undefined ? MODEST_READ_BYTES : undefined);
    if (step.done === true) release?.();
    else ahead.push({ settled: settle(fetchStep({ engine, session, request: share, signal }, step.value)), release });
    return step.done !== true;
  };
  try {
    for (;;) {
      while (begin());
      const next = ahead[0];
      if (next === undefined) {
        get.done++;
        return;
      }
      const settled = await next.settled;
      if ('error' in settled) {
        get.failed++;
        throw settled.error;
      }
      yield* settled.blocks;
      ahead.shift();
      next.release?.();
    }
  } finally {
    stop.abort(new StorageError('CANCELLED', 'The reader left.'));
    await Promise.all(ahead.map(({ settled }) => settled));
    share.leave();
  }
}

type Settled = { readonly blocks: readonly Uint8Array[] } | { readonly error: unknown };

/** A step that fails before its turn must not become an unhandled rejection. */
function settle(step: Promise<readonly Uint8Array[]>): Promise<Settled> {
  return step.then(
    (blocks) => ({ blocks }),
    (error: unknown) => ({ error }),
  );
}

interface Reading {
  readonly engine: ReadEngine;
  readonly session: Session;
  /** See Turns. */
  readonly request: object;
  readonly signal: AbortSignal;
}

async function fetchStep({ engine, session, request, signal }: Reading, step: Step): Promise<readonly Uint8Array[]> {
  const endTurn = await engine.pool.turns.take('get', request, signal);
  try {
    const [outcome] = await fetchStripe(engine, session, { stripe: step.extent.stripe, reads: [step], signal });
    if (outcome instanceof StorageError) throw outcome;
    assert(outcome !== null && outcome !== undefined, 'a read without an output comes back');
    return outcome;
  } finally {
    endTurn();
  }
}

/**
 * Cuts a range into runs of single extents: the first ones small, growing, then whole. `next` takes the most bytes that the
 * step may have.
 */
export function* stepsOf(
  { bytes, extents }: Pick<Manifest, 'bytes' | 'extents'>,
  { from, to }: ReadRange,
): Generator<Step, void, number | undefined> {
  const valid = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= bytes;
  if (!valid) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `Bytes ${String(from)} to ${String(to)} are not within this file of ${String(bytes)} bytes.`,
    );
  }
  let extentStart = 0;
  let step = FIRST_READ_BYTES;
  let most = Number.POSITIVE_INFINITY;
  for (const extent of extents) {
    const end = Math.min(to - extentStart, extent.bytes);
    for (let at = Math.max(from - extentStart, 0); at < end;) {
      const bytesOfStep = Math.min(step, most);
      const next = bytesOfStep >= extent.bytes ? end : Math.min(at + bytesOfStep, end);
      if (bytesOfStep === step) step *= 4;
      most = (yield { extent, from: at, to: next }) ?? Number.POSITIVE_INFINITY;
      at = next;
    }
    extentStart += extent.bytes;
    if (extentStart >= to) return;
  }
}
