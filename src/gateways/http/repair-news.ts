import { amount } from '../../healing/words.js';
import type { ActivityBook } from './activity-book.js';
import { addedSince } from './added-since.js';
import type { AuditsReply, RepairsReply } from './audit-api.js';

/** What the File Sender says of other peers. */
export interface RepairState {
  readonly audits: AuditsReply;
  readonly repairs: RepairsReply;
}

/** Writes down what was repaired, and who is distrusted or trusted again, since the last look. What is seen first is no news. */
export class RepairNews {
  readonly #activity: Pick<ActivityBook, 'add'>;
  #before: RepairState | undefined;

  constructor(activity: Pick<ActivityBook, 'add'>) {
    this.#activity = activity;
  }

  take(now: RepairState): void {
    const before = this.#before;
    this.#before = now;
    if (before === undefined) return;
    const { chunks: repaired } = addedSince(now.repairs.totals, before.repairs.totals);
    if (repaired > 0) {
      const chunks = amount(repaired, 'chunk');
      this.#activity.add('repaired', `${chunks} repaired: rebuilt on other peers, or copied there.`);
    }
    for (const { id, name, trusted } of now.audits.peers) {
      const was = before.audits.peers.find((peer) => peer.id === id)?.trusted;
      if (was === true && !trusted) {
        this.#activity.add(
          'peer-distrusted',
          `${name} failed audits: it gets nothing new, and its chunks are rebuilt.`,
        );
      }
      if (was === false && trusted) this.#activity.add('peer-trusted', `${name} stands audits again.`);
    }
  }
}
