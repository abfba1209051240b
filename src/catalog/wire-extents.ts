import { idBytes, parseFileId, parseStripeId, parseVersionId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type {
  ExtentMoveDescription,
  LiveExtentDescription,
  LiveStripeDescription,
  LiveVersionDescription,
  MoveExtentsRequest,
} from '../gen/shoal/v1/db.js';
import type { Extent } from '../gen/shoal/v1/format.js';
import { MAX_COMMIT_VERSIONS } from '../limits.js';
import type { ExtentRef, SessionToken } from './catalog.js';
import type { ExtentMove, LiveExtent, LiveStripe, LiveVersion } from './compaction.js';
import { pages } from './pages.js';
import { encodeExtent } from './view/manifest.js';
import { decodeExtent } from './wire-manifest.js';

/** Ids, three numbers. */
const LIVE_VERSION_BYTES = 80;
/** An extent, two numbers. */
const LIVE_EXTENT_BYTES = 110;
/** Ids, an extent, a number. */
const MOVE_BYTES = 180;

export function encodeLive({ stripe, bytes }: LiveStripe): LiveStripeDescription {
  return { stripe: idBytes(stripe), bytes };
}

export function decodeLive({ stripe, bytes }: LiveStripeDescription): LiveStripe {
  return { stripe: parseStripeId(stripe), bytes };
}

export function encodeLiveVersion({ file, version, ...says }: LiveVersion): LiveVersionDescription {
  const { path, modifiedMs, createdMs, mode } = says;
  return { file: idBytes(file), version: idBytes(version), path, modifiedMs, createdMs, mode };
}

export function decodeLiveVersion({ file, version, ...says }: LiveVersionDescription): LiveVersion {
  return { file: parseFileId(file), version: parseVersionId(version), ...says };
}

export function liveVersionBytes({ path }: LiveVersionDescription): number {
  // A character takes three bytes of UTF-8 at most.
  return LIVE_VERSION_BYTES + path.length * 3;
}

export function encodeLiveExtent(live: LiveExtent): LiveExtentDescription {
  const { fileOffset, last, extent } = live;
  return { whose: encodeLiveVersion(live), fileOffset, last, extent: encodeExtent(extent) };
}

export function decodeLiveExtent({ whose, fileOffset, last, extent }: LiveExtentDescription): LiveExtent {
  if (whose === undefined) throw new StorageError('INVALID_ARGUMENT', 'An extent belongs to no version.');
  return { ...decodeLiveVersion(whose), fileOffset, last, extent: demandExtent(extent) };
}

export function liveExtentBytes({ whose }: LiveExtentDescription): number {
  return LIVE_EXTENT_BYTES + (whose === undefined ? 0 : liveVersionBytes(whose));
}

function encodeMove({ file, version, from, to }: ExtentMove): ExtentMoveDescription {
  const where = { stripe: idBytes(from.stripe), offset: from.offset };
  return { file: idBytes(file), version: idBytes(version), ...where, to: encodeExtent(to) };
}

function decodeMove({ file, version, stripe, offset, to }: ExtentMoveDescription): ExtentMove {
  const from = { stripe: parseStripeId(stripe), offset };
  return { file: parseFileId(file), version: parseVersionId(version), from, to: demandExtent(to) };
}

/** What would not fit one message goes in several; the session is in the first. */
export function* moveRequests({ token }: SessionToken, moves: readonly ExtentMove[]): Generator<MoveExtentsRequest> {
  yield { session: token, moves: [] };
  for (const page of pages(moves, () => MOVE_BYTES)) yield { session: '', moves: page.map(encodeMove) };
}

/** @throws StorageError INVALID_ARGUMENT, LIMIT_EXCEEDED */
export async function readMoves(
  requests: AsyncIterable<MoveExtentsRequest>,
): Promise<{ readonly session: string; readonly moves: readonly ExtentMove[] }> {
  let token = '';
  const moves: ExtentMove[] = [];
  for await (const { session, moves: some } of requests) {
    token ||= session;
    for (const move of some) moves.push(decodeMove(move));
    if (moves.length > MAX_COMMIT_VERSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', 'That is more than one call of the catalog carries.');
    }
  }
  return { session: token, moves };
}

function demandExtent(extent: Extent | undefined): ExtentRef {
  if (extent === undefined) throw new StorageError('INVALID_ARGUMENT', 'An extent is missing.');
  return decodeExtent(extent);
}
