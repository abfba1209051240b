import type { ExtentRef, Session } from '../../catalog/catalog.js';
import type { LiveExtent, LiveVersion } from '../../catalog/compaction.js';
import type { StripeId } from '../../chunk/ids.js';
import { assert, StorageError, wrapError } from '../../errors.js';
import type { Scheme } from '../../peers/scheme.js';
import type { Engine } from '../engine.js';
import { fetchStripe } from '../fetch.js';
import type { LooseStripes } from '../loose-stripes.js';
import { demandReceipts, storePieces } from '../store-pieces.js';
import { isFailure, type Piece } from '../worker/protocol.js';

/** An extent, and all versions that refer to it. */
export type Shared = readonly [LiveExtent, ...LiveExtent[]];

/** With its plaintext. */
export interface ReadExtent {
  readonly shared: Shared;
  readonly bytes: readonly Uint8Array[];
}

export interface Rewriting {
  readonly engine: Engine;
  readonly session: Session;
  readonly scheme: Scheme;
  readonly loose: LooseStripes;
  readonly signal: AbortSignal;
}

/** Extents of one stripe, each once, in the order in which they lie. */
export function byExtent(live: readonly LiveExtent[]): Shared[] {
  const extents = new Map<number, [LiveExtent, ...LiveExtent[]]>();
  for (const one of live) {
    const others = extents.get(one.extent.offset);
    if (others === undefined) extents.set(one.extent.offset, [one]);
    else others.push(one);
  }
  return [...extents].sort(([a], [b]) => a - b).map(([, shared]) => shared);
}

/** @returns undefined when something of it cannot be read now: then the stripe stays as it is */
export async function readExtents(
  { engine, session, signal }: Rewriting,
  stripe: StripeId,
  extents: readonly Shared[],
): Promise<readonly ReadExtent[] | undefined> {
  const endTurn = await engine.pool.turns.take('get', extents, signal);
  try {
    const reads = extents.map(([{ extent }]) => ({ extent, from: 0, to: extent.bytes }));
    const outcomes = await fetchStripe(engine, session, { stripe, reads, signal });
    return extents.map((shared, at) => {
      const bytes = outcomes[at];
      if (bytes instanceof StorageError) throw bytes;
      assert(bytes !== null && bytes !== undefined, 'a read without an output comes back');
      return { shared, bytes };
    });
  } catch (error) {
    signal.throwIfAborted();
    const { code } = wrapError(error, 'Reading a sparse stripe');
    engine.logger.info({ stripe, code }, 'a sparse stripe cannot be read now: it stays as it is');
    return undefined;
  } finally {
    endTurn();
  }
}

/**
 * Stores them as one stripe, which is loose.
 *
 * @param read each once @param mentions of empty files, that the stripe's directory is to tell of
 * @returns their new places, in order
 * @throws StorageError as a put
 */
export async function storeExtents(
  { engine, session, scheme, loose, signal }: Rewriting,
  { read, mentions }: { readonly read: readonly ReadExtent[]; readonly mentions: readonly LiveVersion[] },
): Promise<{ readonly stripe: StripeId; readonly places: readonly ExtentRef[] }> {
  const endTurn = await engine.pool.turns.take('put', read, signal);
  try {
    const onAuthorized = loose.begin.bind(loose);
    const owner = { session, onProgress: (): void => undefined, onAuthorized };
    const job = { pieces: read.map(toPiece), mentions, scheme };
    const { stripe, outcomes } = await storePieces(engine, owner, job, signal);
    const failure = outcomes.find(isFailure);
    if (failure !== undefined) throw new StorageError(failure.code, failure.message);
    assert(stripe !== undefined, 'what did not fail is stored');
    loose.stored(stripe);
    demandReceipts(stripe);
    return { stripe: stripe.id, places: outcomes.filter((outcome): outcome is ExtentRef => !isFailure(outcome)) };
  } finally {
    endTurn();
  }
}

/** The directory of the new stripe tells of the youngest version. */
function toPiece({ shared, bytes }: ReadExtent): Piece {
  const newest = shared.reduce((a, b) => (b.createdMs > a.createdMs ? b : a));
  const { file, version, path, modifiedMs, createdMs, mode, fileOffset, last, extent } = newest;
  return { file, version, path, modifiedMs, createdMs, mode, fileOffset, last, bytes: extent.bytes, source: bytes };
}
