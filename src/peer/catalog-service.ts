import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { LocalCatalog } from '../catalog/local-catalog.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { DocumentHost } from '../documents/document-database.js';
import { HOME } from '../home.js';
import { PENDING_HOSTS_WAIT_MS, PENDING_HOSTS_POLL_MS } from '../limits.js';
import { DbService } from '../services/db-service.js';
import { socketPath } from '../socket-path.js';
import type { Base } from './base.js';
import type { DocumentStatus } from './documents.js';
import { keepRenewed, openEnrolment, serveEnrolment } from './enrolment-service.js';
import { openAll, type Opened } from './opened.js';

export interface CatalogDocuments {
  readonly host: DocumentHost;
  readonly status: () => Promise<DocumentStatus>;
}

/** The DB Service of a peer: its catalog over the document databases, in this process and on a socket. */
export class CatalogService implements AsyncDisposable {
  readonly catalog: LocalCatalog;
  readonly #opened: Opened;

  private constructor(catalog: LocalCatalog, opened: Opened) {
    this.catalog = catalog;
    this.#opened = opened;
  }

  /** @throws StorageError CONFLICT when another process runs it */
  static open(base: Base, documents: CatalogDocuments): Promise<CatalogService> {
    const { config, identity, logger, telemetry, clock } = base;
    return openAll(async (opened) => {
      const catalog: LocalCatalog = opened.keep(
        await LocalCatalog.open({
          directory: documents.host,
          state: join(config.home, HOME.state),
          membership: identity.membership,
          pendingHosts: () => pendingHosts(documents, async (id) => nameOf(catalog, id)),
          now: clock,
          logger,
        }),
      );
      opened.keep(await DbService.open({ socket: socketPath(config.home, 'db'), catalog, logger, telemetry }));
      const enrolment = await openEnrolment(base, documents.host, opened);
      opened.keep(keepRenewed(base, catalog, enrolment));
      if (config.separate.includes('front')) await serveEnrolment(base, enrolment, opened);
      return new CatalogService(catalog, opened);
    });
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function nameOf(catalog: LocalCatalog, id: string): Promise<string> {
  const peers = await catalog.peers();
  return peers.find((peer) => peer.id === id)?.name ?? id.slice(0, 12);
}

/** Backup hosts that have not taken all of `network`; those that are about to are given a moment. */
async function pendingHosts(
  { host, status }: CatalogDocuments,
  nameOfPeer: (id: string) => Promise<string>,
): Promise<readonly string[]> {
  await using network = await host.open(NETWORK_DATABASE);
  const until = Date.now() + PENDING_HOSTS_WAIT_MS;
  const wanted = await network.sequence();
  for (;;) {
    const { replication } = await status();
    const pending = replication.filter(
      ({ database, direction, sequence }) =>
        database === NETWORK_DATABASE && direction === 'push' && numberOf(sequence) < numberOf(wanted),
    );
    const isHopeless = pending.every(({ phase }) => phase === 'failing');
    if (isHopeless || Date.now() >= until) return await Promise.all(pending.map((stream) => nameOfPeer(stream.host)));
    await delay(PENDING_HOSTS_POLL_MS);
  }
}

/** Sequences are "number-epoch". */
function numberOf(sequence: string): number {
  return Number.parseInt(sequence, 10) || 0;
}
