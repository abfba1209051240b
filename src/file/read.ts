import type { ExtentRef, Manifest, Session } from '../catalog/catalog.js';
import { assert, StorageError } from '../errors.js';
import { FIRST_READ_BYTES } from '../limits.js';
import type { Engine } from './engine.js';
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

/**
 * The plaintext of a range of a file, in order. The first steps are small, so that the first byte comes after one round
 * trip and a segment or two; later ones are whole extents, some of them on their way while the reader takes its time.
 *
 * @throws StorageError INVALID_ARGUMENT for a range outside the file; what fetching says; `signal.reason` on abort
 */
export async function* readFile(
  engine: Engine,
  session: Session,
  {
    manifest,
    range,
    signal: outer,
  }: { readonly manifest: Manifest; readonly range: ReadRange; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const ahead: Promise<Settled>[] = [];
  const steps = stepsOf(manifest, range);
  try {
    for (;;) {
      while (ahead.length < engine.pool.slots) {
        const step = steps.next();
        if (step.done === true) break;
        ahead.push(settle(fetchStep(engine, session, step.value, signal)));
      }
      const next = await ahead.shift();
      if (next === undefined) return;
      if ('error' in next) throw next.error;
      yield* next.blocks;
    }
  } finally {
    stop.abort(new StorageError('CANCELLED', 'The reader left.'));
    await Promise.all(ahead);
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

async function fetchStep(
  engine: Engine,
  session: Session,
  step: Step,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const [outcome] = await fetchStripe(engine, session, { stripe: step.extent.stripe, reads: [step], signal });
  if (outcome instanceof StorageError) throw outcome;
  assert(outcome !== null && outcome !== undefined, 'a read without an output comes back');
  return outcome;
}

/** Cuts a range into runs of single extents: the first ones small, doubling, then whole. */
export function* stepsOf(
  { bytes, extents }: Pick<Manifest, 'bytes' | 'extents'>,
  { from, to }: ReadRange,
): Generator<Step> {
  const valid = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= bytes;
  if (!valid) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `Bytes ${String(from)} to ${String(to)} are not within this file of ${String(bytes)} bytes.`,
    );
  }
  let extentStart = 0;
  let step = FIRST_READ_BYTES;
  for (const extent of extents) {
    const end = Math.min(to - extentStart, extent.bytes);
    for (let at = Math.max(from - extentStart, 0); at < end; step *= 4) {
      const next = step >= extent.bytes ? end : Math.min(at + step, end);
      yield { extent, from: at, to: next };
      at = next;
    }
    extentStart += extent.bytes;
    if (extentStart >= to) return;
  }
}
