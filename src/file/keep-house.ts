import type { Session } from '../catalog/catalog.js';
import type { Engine } from './engine.js';
import { collectOrphans, deliverDeletes, expireTrash } from './remove.js';

/**
 * What is due for one unlocked user, now and then: what broken puts left behind, old trash, deletes that peers missed. Where
 * one of them fails the others are done all the same; the next time it is tried again.
 */
export async function keepHouse(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  for (const chore of [collectOrphans, expireTrash, deliverDeletes]) {
    try {
      await chore(engine, session, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { user } = session;
      engine.logger.warn({ user, chore: chore.name, err: error }, 'housekeeping failed; it will be tried again');
    }
  }
}
