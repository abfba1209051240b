import type { ChunkId } from '../chunk/ids.js';
import { PARTIAL_EXPIRY_MS } from '../limits.js';
import type { ChunkFiles } from './chunk-files.js';
import type { ChunkIndex } from './chunk-index.js';

/** Removes the files of a chunk that lost its last claim; a chunk that somebody claims keeps its file. */
export async function removeFiles(index: ChunkIndex, files: ChunkFiles, id: ChunkId): Promise<void> {
  if (!index.has(id)) await files.removeChunk(id);
  if (!index.isPartial(id)) await files.removePartial(id);
  await index.unlinked(id);
}

/**
 * Puts right what a crash left, before anything else happens. It looks at partial chunks and pending unlinks alone, however
 * many chunks there are: every file that may lie in chunks/ without its row is named by one of the two.
 */
export async function recover(index: ChunkIndex, files: ChunkFiles, nowMs: number): Promise<void> {
  for (const id of index.unlinks()) await removeFiles(index, files, id);
  const known = new Set<ChunkId>();
  for (const { id, startedMs } of index.partials()) {
    // Renamed, but its row never came: whole or not, its segments are still good for the next put.
    if (!index.has(id)) await files.demote(id);
    if (startedMs + PARTIAL_EXPIRY_MS > nowMs) known.add(id);
    else await index.removePartial(id);
  }
  const there = new Set(await files.partialIds());
  for (const id of there) if (!known.has(id)) await files.removePartial(id);
  for (const id of known) if (!there.has(id)) await index.removePartial(id);
}
