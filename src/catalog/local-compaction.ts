import type { StripeId } from '../chunk/ids.js';
import type { SessionToken, StripePage } from './catalog.js';
import type { CompactionCatalog, ExtentMove, LiveExtent, LiveStripe, LiveVersion } from './compaction.js';
import type { SharedDocuments } from './shared-documents.js';
import type { UserAccess } from './users/user-access.js';

/** Of the users that are unlocked here. */
export class LocalCompaction implements CompactionCatalog {
  readonly #users: UserAccess;
  readonly #stripes: SharedDocuments['stripes'];

  constructor(users: UserAccess, stripes: SharedDocuments['stripes']) {
    this.#users = users;
    this.#stripes = stripes;
  }

  liveStripes(session: SessionToken, page: StripePage): Promise<readonly LiveStripe[]> {
    return this.#users.with(session, ({ moves }) => moves.liveStripes(page));
  }

  liveExtents(session: SessionToken, stripes: readonly StripeId[]): Promise<readonly LiveExtent[]> {
    return this.#users.with(session, ({ moves }) => moves.liveExtents(stripes));
  }

  emptyVersions(session: SessionToken): Promise<readonly LiveVersion[]> {
    return this.#users.with(session, ({ moves }) => moves.emptyVersions());
  }

  async moveExtents(session: SessionToken, moved: readonly ExtentMove[]): Promise<number> {
    this.#users.use(session);
    await this.#stripes.demand([...new Set(moved.map(({ to }) => to.stripe))]);
    return this.#users.with(session, ({ moves }) => moves.move(moved));
  }

  giveUpMoved(session: SessionToken, untilMs: number): Promise<number> {
    return this.#users.with(session, (catalog) => catalog.giveUpMoved(untilMs));
  }
}
