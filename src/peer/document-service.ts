import { join } from 'node:path';
import { latestRecords } from '../catalog/records/latest-record.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { DamagedDatabase, LevelHost } from '../documents/level-host.js';
import { PouchHosting } from '../documents/pouch-hosting.js';
import { type BackupHost, type HostConnection, Replicator } from '../documents/replication/replicator.js';
import type { StreamState } from '../documents/replication/stream.js';
import { HOME } from '../home.js';
import { ReplicationPlanner } from '../services/replication-planner.js';
import { PeerWeb } from '../wire/peer-web.js';
import { type Base, readRecords, serviceAddress } from './base.js';
import { openAll, type Opened } from './opened.js';

/** PouchDB hosting of a peer: its document databases, served to its DB Service, and their replication with backup hosts. */
export class DocumentService implements AsyncDisposable {
  readonly host: LevelHost;
  readonly #replicator: Replicator;
  readonly #opened: Opened;

  private constructor(host: LevelHost, replicator: Replicator, opened: Opened) {
    this.host = host;
    this.#replicator = replicator;
    this.#opened = opened;
  }

  /** @throws StorageError CONFLICT when another process hosts them */
  static open(base: Base): Promise<DocumentService> {
    return openAll(async (opened) => {
      const { config, identity, logger } = base;
      const state: { replicator?: Replicator } = {};
      const hosting = await PouchHosting.open({
        ...serviceAddress(config.home, 'pouchdb'),
        directory: join(config.home, HOME.documents),
        logger,
        status: () => ({ replication: state.replicator?.status() ?? [] }),
      });
      const { host } = opened.keep(hosting);
      const replicator = opened.keep(
        new Replicator({
          self: identity.id,
          host,
          connect: (backup) => connect(base, backup),
          latestIn: latestRecords(identity.membership),
          logger,
        }),
      );
      state.replicator = replicator;
      const network = opened.keep(await host.open(NETWORK_DATABASE));
      const update = replicator.update.bind(replicator);
      opened.keep(
        new ReplicationPlanner({
          self: identity.id,
          records: readRecords(base, network),
          network,
          host,
          update,
          logger,
        }),
      );
      return new DocumentService(host, replicator, opened);
    });
  }

  replication(): readonly StreamState[] {
    return this.#replicator.status();
  }

  damaged(): readonly DamagedDatabase[] {
    return this.host.damaged();
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function connect({ identity }: Base, { id, address }: BackupHost): HostConnection {
  return new PeerWeb({ id, address, tls: identity.tls, prefix: '/couchdb' });
}
