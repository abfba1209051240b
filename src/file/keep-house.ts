import type { Session } from '../catalog/catalog.js';
import { compactSparse, giveUpPlaces } from './compact/tidy.js';
import { expireDrafts } from './draft/give-up.js';
import type { Engine } from './engine.js';
import { collectGarbage } from './garbage/garbage.js';
import { carryOutRemovals, collectOrphans, deliverDeletes } from './remove.js';

/**
 * What is due for one unlocked user, now and then: removals that were announced, drafts whose time is up, what broken puts
 * left behind, deletes that peers missed, what else lies at peers for nothing, stripes of which little is needed. Where one of them fails the others are done all the same; the next time it is tried
 * again. The trash is emptied by its owner alone: a clock that is wrong, or a restore at a peer that is away, would make an
 * automatic end of it a loss.
 */
export async function keepHouse(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  const chores = [
    giveUpPlaces,
    carryOutRemovals,
    expireDrafts,
    collectOrphans,
    deliverDeletes,
    collectGarbage,
    compactSparse,
  ];
  for (const chore of chores) {
    try {
      await chore(engine, session, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { user } = session;
      engine.logger.warn({ user, chore: chore.name, err: error }, 'housekeeping failed; it will be tried again');
    }
  }
}
