import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { isReplicated } from '../../chunk/database-names.js';
import type { Logger } from '../../log.js';
import type { LatestIn } from '../branches.js';
import { createDocumentServer } from '../http-server.js';
import { LevelHost } from '../level-host.js';
import { readSecurity, type SecurityPart, writeSecurity } from '../security.js';
import { listenOnSocket } from '../unix-listener.js';
import { ADMINS, type BackupDatabases } from './backup-databases.js';
import { proxyRules } from './proxy-rules.js';

export interface EmbeddedCouchOptions {
  /** The folder of the databases. */
  readonly directory: string;
  /** Path of the unix socket, for the front alone. */
  readonly socket: string;
  /** Shared with the front. */
  readonly secret: string;
  /** Bounds the branches of documents; see Branches. */
  readonly latestIn?: LatestIn;
  readonly logger: Logger;
}

/** A CouchDB-compatible server of our own: as much of it as peers replicate with. */
export class EmbeddedCouch implements BackupDatabases, AsyncDisposable {
  readonly host: LevelHost;
  readonly #server: FastifyInstance;
  readonly #members: Map<string, SecurityPart>;
  #closing: Promise<void> | undefined;

  private constructor(host: LevelHost, server: FastifyInstance, members: Map<string, SecurityPart>) {
    this.host = host;
    this.#server = server;
    this.#members = members;
  }

  /** @throws StorageError CONFLICT when another process serves that socket */
  static async open({ directory, socket, secret, latestIn, logger }: EmbeddedCouchOptions): Promise<EmbeddedCouch> {
    const host = await LevelHost.open({ directory, logger });
    try {
      const members = await readMembers(host);
      const server = createDocumentServer(host, {
        rules: proxyRules(secret, (name) => members.get(name), latestIn),
        logger,
        isForPeers: true,
        uuid: createHmac('sha256', secret).update('shoal/couchdb-hosting/1').digest('hex').slice(0, 32),
      });
      await listenOnSocket(server, socket);
      return new EmbeddedCouch(host, server, members);
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  async names(): Promise<readonly string[]> {
    return (await this.host.names()).filter(isReplicated);
  }

  async provide(name: string, members: SecurityPart): Promise<void> {
    const { database, release } = await this.host.acquire(name);
    try {
      await writeSecurity(database, { admins: ADMINS, members });
    } finally {
      release();
    }
    this.#members.set(name, members);
  }

  async isFilled(name: string): Promise<boolean> {
    const lease = await this.host.acquireExisting(name);
    if (lease === undefined) return false;
    const { database, release } = lease;
    try {
      const { doc_count: count } = await database.read('Reading the catalog', (pouch) => pouch.info());
      return count > 0;
    } finally {
      release();
    }
  }

  async drop(name: string): Promise<void> {
    this.#members.delete(name);
    await this.host.drop(name);
  }

  async compact(name: string): Promise<void> {
    const { database, release } = await this.host.acquire(name);
    try {
      await database.compact();
    } finally {
      release();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      // Takes the socket's name away, too: later it may be a successor's.
      await this.#server.close();
    } finally {
      await this.host.close();
    }
  }
}

/** As they were provided before this process began. */
async function readMembers(host: LevelHost): Promise<Map<string, SecurityPart>> {
  const found = new Map<string, SecurityPart>();
  for (const name of (await host.names()).filter(isReplicated)) {
    const { database, release } = await host.acquire(name);
    try {
      found.set(name, (await readSecurity(database)).members);
    } finally {
      release();
    }
  }
  return found;
}
