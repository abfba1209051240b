import { segmentsOf, type ChunkHeader, type ChunkStore, type SegmentSource } from '../chunk/chunk-store.js';
import type { ChunkId, PeerId } from '../chunk/ids.js';
import { openLabel } from '../chunk/label.js';
import { segmentCount, segmentIsIntact, type ChunkShape } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { refuseSecond } from '../file/pull.js';
import { rebuildChunk } from './rebuild.js';
import type { RebuildTurns } from './rebuild-turns.js';
import { stripeOfLabel, type HealingNetwork, type Holder } from './stripe-holders.js';

export interface RebuildRequest {
  readonly chunk: ChunkId;
  /** The owner's signed label, as whoever asks has it. */
  readonly label: Uint8Array;
  /** The owner lets whoever asks store this stripe. */
  readonly granted: boolean;
  readonly holders: readonly Holder[];
  /** Who asks. */
  readonly caller: PeerId;
}

export interface TakeRebuiltParts {
  readonly network: HealingNetwork;
  readonly local: ChunkStore;
  readonly turns: RebuildTurns;
  /** Told of the bytes that came from other peers. */
  readonly onMoved: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Rebuilds a chunk from the others of its stripe into the own store: the target's part of repair. The sources are checked
 * against their chunk ids, and what comes out against its own, so whoever asks, and whoever is asked, can lie about nothing;
 * and as with a pull, without a grant this is one chunk of a stripe that its owner made. It may run twice.
 *
 * @throws StorageError PERMISSION_DENIED for a chunk that the label does not name, or a second one of its stripe;
 * LIMIT_EXCEEDED when too much of that is asked; UNAVAILABLE when fewer than k others can be had; as the store says
 */
export async function takeRebuilt(request: RebuildRequest, parts: TakeRebuiltParts): Promise<ChunkHeader> {
  const { chunk: id, label, granted, holders: hints, caller } = request;
  const { network, local, turns, onMoved, signal } = parts;
  const opened = openLabel(label);
  const index = opened.chunks.indexOf(id);
  if (index < 0) throw new StorageError('PERMISSION_DENIED', 'The label does not name this chunk.');
  if (!granted) await refuseSecond(id, opened, { local, signal });
  const headerOf = ({ bytes, segmentBytes, hashes }: ChunkShape): ChunkHeader => {
    return { bytes, segmentBytes, hashes, id, owner: opened.owner, label };
  };
  const here = await intactShapeOf(id, local, signal);
  if (here !== undefined && (await claim(headerOf(here), local, signal))) return headerOf(here);
  return await turns.take(caller, async () => {
    const stripe = stripeOfLabel(opened);
    const { shape, content } = await rebuildChunk({ stripe, index, network, hints, onMoved, signal });
    const header = headerOf(shape);
    await local.put(header, segmentsOf(content, shape.segmentBytes), { signal });
    return header;
  });
}

/**
 * @returns undefined when the chunk is not here, or its file is not
 * @throws StorageError CORRUPT for one that is rotten: scrubbing mends it, a put would take it for stored
 */
async function intactShapeOf(id: ChunkId, local: ChunkStore, signal: AbortSignal): Promise<ChunkShape | undefined> {
  if (!(await local.has([id], { signal })).has(id)) return undefined;
  try {
    const { shape, segments } = await local.get(id, { signal });
    let intact = 0;
    for await (const segment of segments) if (segmentIsIntact(shape, segment)) intact++;
    if (intact === segmentCount(shape.bytes)) return shape;
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND', 'CORRUPT')) return undefined;
    throw error;
  }
  throw new StorageError('CORRUPT', `Chunk ${id.slice(0, 12)}… is damaged here, and is mended by the next scrub.`);
}

/** For this owner, too. @returns false when bytes of it are missing after all */
async function claim(header: ChunkHeader, local: ChunkStore, signal: AbortSignal): Promise<boolean> {
  let asked = 0;
  const source: SegmentSource = () => {
    asked++;
    throw new StorageError('NOT_FOUND', 'A part of the chunk is not here.');
  };
  try {
    await local.put(header, source, { signal });
  } catch (error) {
    if (asked === 0 || signal.aborted) throw error;
  }
  return asked === 0;
}
