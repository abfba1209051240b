import { createHash, createHmac } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { equalBytes } from '../bytes.js';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import { ensureSecret, POUCHDB } from './hosting-secret.js';
import type { HostingRules } from './http-access.js';
import type { HostingAddress } from './http-connection.js';
import { createDocumentServer } from './http-server.js';
import { LevelHost } from './level-host.js';
import { listenOnSocket } from './unix-listener.js';

export interface PouchHostingOptions extends HostingAddress {
  /** The folder of the databases. */
  readonly directory: string;
  readonly logger: Logger;
  /** What `HttpHost.status` tells beside damaged databases, such as the state of replication. */
  readonly status?: () => Readonly<Record<string, unknown>>;
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

/** Whoever has the secret may do everything. */
function bearerRules(secret: string): HostingRules {
  const expected = digest(`Bearer ${secret}`);
  return {
    async authorize(request: FastifyRequest, { database }) {
      // Digests have one length, so that the comparison tells nothing of the secret's.
      if (equalBytes(digest(request.headers.authorization ?? ''), expected)) {
        return { db: database ?? '', name: null, roles: ['_admin'] };
      }
      throw new StorageError('UNAUTHENTICATED', 'This needs the secret of PouchDB hosting.');
    },
  };
}

/** The peer's document databases as a service of its own, for its DB Service on a unix socket. Client: `HttpHost`. */
export class PouchHosting implements AsyncDisposable {
  /** For what runs in the same process, such as the replication. */
  readonly host: LevelHost;
  readonly #server: FastifyInstance;
  #closing: Promise<void> | undefined;

  private constructor(host: LevelHost, server: FastifyInstance) {
    this.host = host;
    this.#server = server;
  }

  /** @throws StorageError CONFLICT when another process serves that socket */
  static async open(options: PouchHostingOptions): Promise<PouchHosting> {
    const { directory, logger, socket, status } = options;
    const secret = await ensureSecret(options.secretFile, POUCHDB);
    const host = await LevelHost.open({ directory, logger });
    try {
      const server = createDocumentServer(host, {
        rules: bearerRules(secret),
        logger,
        uuid: createHmac('sha256', secret).update('shoal/pouchdb-hosting/1').digest('hex').slice(0, 32),
        ...(status && { status }),
      });
      await listenOnSocket(server, socket);
      return new PouchHosting(host, server);
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Ends requests in progress. What was acknowledged is on the disk. */
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
