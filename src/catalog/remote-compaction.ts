import { idBytes, type StripeId } from '../chunk/ids.js';
import { DbServiceService as Db } from '../gen/shoal/v1/db.js';
import type { SessionToken, StripePage } from './catalog.js';
import type { CompactionCatalog, ExtentMove, LiveExtent, LiveStripe, LiveVersion } from './compaction.js';
import type { DbConnection } from './db-connection.js';
import { decodeLive, decodeLiveExtent, decodeLiveVersion, moveRequests } from './wire-extents.js';

const NO_ID = new Uint8Array(0);

/** Over the DB Service's socket. */
export class RemoteCompaction implements CompactionCatalog {
  readonly #db: DbConnection;

  constructor(db: DbConnection) {
    this.#db = db;
  }

  async liveStripes(session: SessionToken, { after, limit }: StripePage): Promise<readonly LiveStripe[]> {
    const behind = after === undefined ? NO_ID : idBytes(after);
    const { stripes } = await this.#db.unary(Db.listLiveStripes, { session: session.token, after: behind, limit });
    return stripes.map(decodeLive);
  }

  async liveExtents(session: SessionToken, stripes: readonly StripeId[]): Promise<readonly LiveExtent[]> {
    const request = { session: session.token, stripes: stripes.map((stripe) => idBytes(stripe)) };
    const found: LiveExtent[] = [];
    for await (const { extents } of this.#db.stream(Db.listLiveExtents, request)) {
      for (const extent of extents) found.push(decodeLiveExtent(extent));
    }
    return found;
  }

  async emptyVersions(session: SessionToken): Promise<readonly LiveVersion[]> {
    const found: LiveVersion[] = [];
    for await (const { versions } of this.#db.stream(Db.listEmptyVersions, { session: session.token })) {
      for (const version of versions) found.push(decodeLiveVersion(version));
    }
    return found;
  }

  async moveExtents(session: SessionToken, moves: readonly ExtentMove[]): Promise<number> {
    return (await this.#db.upload(Db.moveExtents, moveRequests(session, moves))).versions;
  }

  async giveUpMoved(session: SessionToken, untilMs: number): Promise<number> {
    return (await this.#db.unary(Db.giveUpMoved, { session: session.token, untilMs })).waiting;
  }
}
