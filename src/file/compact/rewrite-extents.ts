import type { ExtentRef, Session } from '../../catalog/catalog.js';
import type { LiveExtent, LiveVersion } from '../../catalog/compaction.js';
import type { StripeId } from '../../chunk/ids.js';
import { assert, StorageError, wrapError } from '../../errors.js';
import { MAX_PATH_BYTES } from '../../limits.js';
import type { Scheme } from '../../peers/scheme.js';
import type { Engine } from '../engine.js';
import { fetchStripe } from '../fetch.js';
import type { LooseStripes } from '../loose-stripes.js';
import { openDirectory } from '../recover/read-directory.js';
import { demandReceipts, storePieces } from '../store-pieces.js';
import { isFailure, type Piece } from '../worker/protocol.js';

/** An extent, and all versions that refer to it. */
export type Shared = readonly [LiveExtent, ...LiveExtent[]];

/** With its plaintext, and what directories tell of it. */
export interface ReadExtent {
  readonly shared: Shared;
  readonly bytes: readonly Uint8Array[];
  readonly told: LiveVersion;
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

/**
 * @returns undefined when something of it cannot be read now: then the stripe stays as it is
 */
export async function readExtents(
  rewriting: Rewriting,
  stripe: StripeId,
  extents: readonly Shared[],
): Promise<readonly ReadExtent[] | undefined> {
  const { engine, session, signal } = rewriting;
  const endTurn = await engine.pool.turns.take('get', extents, signal);
  try {
    const reads = extents.map(([{ extent }]) => ({ extent, from: 0, to: extent.bytes }));
    const outcomes = await fetchStripe(engine, session, { stripe, reads, signal });
    const told = extents.every(isWhole) ? undefined : await toldIn(rewriting, stripe);
    return extents.map((shared, at) => {
      const bytes = outcomes[at];
      if (bytes instanceof StorageError) throw bytes;
      assert(bytes !== null && bytes !== undefined, 'a read without an output comes back');
      const whose = isWhole(shared) ? youngest(shared) : told?.get(shared[0].extent.offset);
      if (whose === undefined)
        throw new StorageError('CORRUPT', 'The directory of the stripe does not tell of a file.');
      return { shared, bytes, told: whose };
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

const LONGEST_PATH = '/'.padEnd(MAX_PATH_BYTES, 'x');

/** For the room that it takes in a directory: of a part of a file it is not known before that is read what was told of it. */
export function pathToTell(shared: Shared): string {
  return isWhole(shared) ? youngest(shared).path : LONGEST_PATH;
}

/** The extent is all of its file. */
function isWhole([{ fileOffset, last }]: Shared): boolean {
  return fileOffset === 0 && last;
}

function youngest(shared: Shared): LiveVersion {
  return shared.reduce((a, b) => (b.createdMs > a.createdMs ? b : a));
}

/**
 * What the directory of a stripe tells of, by the offset. Of a file of several extents all directories have to tell of the same
 * version, or `shoal recover` finds no whole one: so those that are moved are told of as they were.
 */
async function toldIn(
  { engine, session, signal }: Rewriting,
  stripe: StripeId,
): Promise<ReadonlyMap<number, LiveVersion>> {
  const [record] = await engine.catalog.stripes([stripe]);
  if (record === undefined) throw new StorageError('UNAVAILABLE', 'The record of the stripe is not here.');
  const { entries } = await openDirectory(engine, session, record, signal);
  const told = entries.filter(({ bytes }) => bytes > 0);
  return new Map(told.map((entry) => [entry.offset, { ...entry, createdMs: entry.createdMs ?? entry.modifiedMs }]));
}

/**
 * Stores them as one stripe, which is loose.
 *
 * @param read each once @param mentions of empty files, that the stripe's directory is to tell of
 * @returns their new places, in order
 * @throws StorageError as a put; UNAVAILABLE where a chunk of it found no place: what is moved is never less safe than before
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
    if (demandReceipts(stripe) > 0) {
      throw new StorageError('UNAVAILABLE', 'Not every peer that is to hold a part of it answers. Nothing was moved.');
    }
    return { stripe: stripe.id, places: outcomes.filter((outcome): outcome is ExtentRef => !isFailure(outcome)) };
  } finally {
    endTurn();
  }
}

function toPiece({ shared: [{ fileOffset, last, extent }], bytes, told }: ReadExtent): Piece {
  const { file, version, path, modifiedMs, createdMs, mode } = told;
  return { file, version, path, modifiedMs, createdMs, mode, fileOffset, last, bytes: extent.bytes, source: bytes };
}
