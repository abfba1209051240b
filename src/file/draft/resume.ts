import type { Session } from '../../catalog/catalog.js';
import type { ChunkId, PeerId } from '../../chunk/ids.js';
import { DRAFT_PAGE } from '../../limits.js';
import { requiredReceipts } from '../../peers/scheme.js';
import type { PartRow } from '../../store/draft-journal.js';
import type { Engine } from '../engine.js';
import type { DraftId } from './draft.js';
import type { DraftPart } from './draft-format.js';
import { giveBack } from './give-up.js';
import type { OpenDraft } from './open-draft.js';

/**
 * Takes a draft to go on with it. Of one that an earlier process has left, the peers are asked first what they still have:
 * one may have lost its disk since, or been removed, or this home been put back. What is not safe any more has to come again.
 *
 * @throws StorageError as Drafts.take; `signal.reason` on abort
 */
export async function resumeDraft(
  engine: Engine,
  session: Session,
  id: DraftId,
  signal: AbortSignal,
): Promise<OpenDraft> {
  const draft = await engine.drafts.take(session, id);
  try {
    if (!engine.drafts.isConfirmed(id)) await dropLost(engine, session, draft, signal);
    engine.drafts.confirm(id);
    return draft;
  } catch (error) {
    draft.release();
    throw error;
  }
}

async function dropLost(engine: Engine, session: Session, draft: OpenDraft, signal: AbortSignal): Promise<void> {
  let from = 0;
  for (;;) {
    const rows = draft.rows({ from, most: DRAFT_PAGE });
    const last = rows.at(-1);
    if (last === undefined) return;
    const lost = await lostOf(engine, draft, rows, signal);
    if (lost.length > 0) {
      engine.logger.warn(
        { draft: draft.id, parts: lost.length },
        'parts of an upload are lost, and have to come again',
      );
      await giveBack(engine, session, draft, lost);
    }
    from = last.fileOffset + last.bytes;
  }
}

/** Those that too few peers have. One that does not answer is believed to have what it promised. */
async function lostOf(
  engine: Engine,
  draft: OpenDraft,
  rows: readonly PartRow[],
  signal: AbortSignal,
): Promise<readonly PartRow[]> {
  const parts = rows.map((row) => ({ row, part: openOrNone(draft, row) }));
  const held = await ask(engine, parts, signal);
  return parts.filter(({ part }) => part === undefined || !isSafe(part, held)).map(({ row }) => row);
}

function openOrNone(draft: OpenDraft, row: PartRow): DraftPart | undefined {
  try {
    return draft.open(row);
  } catch {
    // A part that cannot be read is a part that is lost.
    return undefined;
  }
}

function isSafe({ stripe }: DraftPart, held: ReadonlyMap<PeerId, ReadonlySet<ChunkId>>): boolean {
  const there = stripe.chunks.filter((chunk, index) => {
    const peer = stripe.placement[index]?.peer;
    return peer !== undefined && held.get(peer)?.has(chunk) !== false;
  });
  return there.length >= requiredReceipts(stripe);
}

/** What each peer has of the chunks that it is to have, as far as it answers. */
async function ask(
  engine: Engine,
  parts: readonly { readonly part: DraftPart | undefined }[],
  signal: AbortSignal,
): Promise<ReadonlyMap<PeerId, ReadonlySet<ChunkId>>> {
  const wanted = new Map<PeerId, ChunkId[]>();
  for (const { part } of parts) {
    for (const [index, place] of (part?.stripe.placement ?? []).entries()) {
      const chunk = part?.stripe.chunks[index];
      if (place === undefined || chunk === undefined) continue;
      const chunks = wanted.get(place.peer);
      if (chunks === undefined) wanted.set(place.peer, [chunk]);
      else chunks.push(chunk);
    }
  }
  const held = new Map<PeerId, ReadonlySet<ChunkId>>();
  await Promise.all(
    [...wanted].map(async ([peer, chunks]) => {
      const answer = await askPeer(engine, peer, chunks, signal);
      if (answer !== undefined) held.set(peer, answer);
    }),
  );
  return held;
}

async function askPeer(
  { book, links, logger }: Engine,
  peer: PeerId,
  chunks: readonly ChunkId[],
  signal: AbortSignal,
): Promise<ReadonlySet<ChunkId> | undefined> {
  const state = book.get(peer)?.state ?? 'removed';
  if (state === 'removed') return new Set();
  try {
    return await links.store(peer).has(chunks, { signal });
  } catch (error) {
    signal.throwIfAborted();
    logger.debug({ peer, err: error }, 'a peer does not say what it has of an upload');
    return undefined;
  }
}
