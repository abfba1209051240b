import type { FreedStripe, Session } from '../../catalog/catalog.js';
import { StorageError, wrapError } from '../../errors.js';
import { DRAFT_PAGE } from '../../limits.js';
import type { PartRow } from '../../store/draft-journal.js';
import type { Engine } from '../engine.js';
import { lying } from '../loose-stripes.js';
import { freeStripes } from '../remove.js';
import type { DraftId } from './draft.js';
import type { OpenDraft } from './open-draft.js';

/** Gives up a draft of the user, and gives back what it holds at the peers. @throws StorageError NOT_FOUND, CONFLICT, LOCKED */
export async function discardDraft(engine: Engine, session: Session, id: DraftId): Promise<void> {
  let draft: OpenDraft;
  try {
    draft = await engine.drafts.take(session, id);
  } catch (error) {
    if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
    await engine.drafts.abandon(id);
    return;
  }
  try {
    await giveUp(engine, session, draft);
  } finally {
    draft.release();
  }
}

/** As discardDraft, of a draft that the caller works on. */
export async function giveUp(engine: Engine, session: Session, draft: OpenDraft): Promise<void> {
  await giveBackFrom(engine, session, draft, 0);
  await draft.remove();
}

/**
 * Gives back the parts from an offset on. The last ones go first, some at a time: whatever interrupts this, what is left is a draft that can be gone on with, and `collectOrphans` finds the rest.
 */
export async function giveBackFrom(engine: Engine, session: Session, draft: OpenDraft, from: number): Promise<void> {
  for (;;) {
    const rows = draft.rows({ from, most: DRAFT_PAGE, last: true });
    if (rows.length === 0) return;
    await giveBack(engine, session, draft, rows);
  }
}

/** Gives back some parts, from the journal before from the peers. */
export async function giveBack(
  engine: Engine,
  session: Session,
  draft: OpenDraft,
  rows: readonly PartRow[],
): Promise<void> {
  const freed = rows.flatMap((row) => placesOf(engine, draft, row));
  await draft.drop(rows);
  await freeStripes(engine, session, freed);
  for (const { stripe } of rows) engine.pinned.delete(stripe);
}

/** Nowhere that is known, for a part that cannot be read: its intent still says where it may lie. */
function placesOf(engine: Engine, draft: OpenDraft, row: PartRow): FreedStripe[] {
  try {
    return [lying(draft.open(row).stripe, [])];
  } catch (error) {
    engine.logger.warn({ draft: draft.id, err: error }, 'a part of an upload cannot be read');
    return [];
  }
}

/** Gives up the user's drafts whose time is up. One that somebody works on is not. */
export async function expireDrafts(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  for (const id of engine.drafts.expired(session)) {
    signal.throwIfAborted();
    try {
      await discardDraft(engine, session, id);
      engine.logger.info({ draft: id }, 'an upload has expired');
    } catch (error) {
      const failure = wrapError(error, 'Giving up an upload');
      if (failure.code !== 'CONFLICT' && failure.code !== 'NOT_FOUND') throw failure;
    }
  }
  await engine.drafts.forgetFinished(session);
}
