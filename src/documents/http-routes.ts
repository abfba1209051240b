import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { StorageError } from '../errors.js';
import { onAbort } from '../on-abort.js';
import { isDatabaseName } from './database-name.js';
import type { DatabaseAction, DocumentServerOptions, UserContext } from './http-access.js';
import type { LevelDatabase } from './level-database.js';
import type { Lease, LevelHost } from './level-host.js';
import { readSecurity } from './security.js';
import { writeRevisions, type WriteOptions, type WriteResult } from './write-revisions.js';

/** What handlers get of a request, after it was allowed. */
export interface Call {
  readonly request: FastifyRequest;
  readonly user: UserContext;
  /** Aborts when the reply is finished, the client is gone, or the server is closed. */
  readonly signal: AbortSignal;
}

interface Route {
  readonly method: HTTPMethods | HTTPMethods[];
  readonly url: string;
  readonly action: DatabaseAction | ((request: FastifyRequest) => DatabaseAction);
  /** Of a reply that is no failure; 200 where absent. */
  readonly status?: number;
}

/** @throws StorageError NOT_FOUND for what no database can be called */
function databaseOf(request: FastifyRequest): string | undefined {
  const { db } = Object(request.params) as { readonly db?: string };
  if (db === undefined || isDatabaseName(db)) return db;
  throw new StorageError('NOT_FOUND', 'Database does not exist.');
}

/** Registers routes, each with what it does, of which the rules are asked before the body is read. */
export class Routes {
  readonly host: LevelHost;
  readonly options: DocumentServerOptions;
  readonly #server: FastifyInstance;
  readonly #stopping = new AbortController();

  constructor(server: FastifyInstance, host: LevelHost, options: DocumentServerOptions) {
    this.#server = server;
    this.host = host;
    this.options = options;
    server.addHook('preClose', async () => {
      this.#stopping.abort(new StorageError('CANCELLED', 'The document databases are being closed.'));
    });
  }

  add(route: Route, handle: (call: Call, name: string) => Promise<unknown>): void {
    const users = new WeakMap<FastifyRequest, UserContext>();
    this.#server.route({
      method: route.method,
      url: route.url,
      onRequest: async (request) => {
        const action = typeof route.action === 'function' ? route.action(request) : route.action;
        users.set(request, await this.options.rules.authorize(request, { action, database: databaseOf(request) }));
      },
      handler: async (request, reply) => {
        const user = users.get(request);
        if (user === undefined) throw new StorageError('UNAUTHENTICATED', 'Nobody allowed this request.');
        const signal = this.#endOf(reply);
        const answer = await handle({ request, user, signal }, databaseOf(request) ?? '');
        await reply
          .code(route.status ?? 200)
          .type('application/json')
          .send(answer);
      },
    });
  }

  /** A route of one database, which exists. */
  addDatabase(route: Route, handle: (database: LevelDatabase, call: Call) => Promise<unknown>): void {
    this.add(route, async (call, name) => {
      const { database, release } = await this.#acquire(name);
      try {
        return await handle(database, call);
      } finally {
        release();
      }
    });
  }

  /** A route of one database whose reply is read from it while it is sent. */
  addStream(route: Route, handle: (database: LevelDatabase, call: Call) => Promise<AsyncIterable<string>>): void {
    this.add(route, async (call, name) => {
      const { database, release } = await this.#acquire(name);
      try {
        const reply = Readable.from(await handle(database, call), { objectMode: false });
        onAbort(call.signal, release);
        if (call.signal.aborted) release();
        return reply;
      } catch (error) {
        release();
        throw error;
      }
    });
  }

  /** Writes as the rules allow it to this user. */
  async write(
    database: LevelDatabase,
    documents: readonly unknown[],
    options: Omit<WriteOptions, 'validate'> & { readonly user: UserContext },
  ): Promise<readonly WriteResult[]> {
    const { validate, latestIn } = this.options.rules;
    if (validate === undefined) return writeRevisions(database, documents, options);
    const security = await readSecurity(database);
    const isLatest = latestIn?.(options.user.db);
    return writeRevisions(database, documents, {
      ...options,
      ...(isLatest && { isLatest }),
      validate: (newDoc, oldDoc) => validate(newDoc, oldDoc, options.user, security),
    });
  }

  async #acquire(name: string): Promise<Lease> {
    const lease = await this.host.acquireExisting(name);
    if (lease !== undefined) return lease;
    throw new StorageError('NOT_FOUND', 'Database does not exist.');
  }

  #endOf(reply: FastifyReply): AbortSignal {
    const end = new AbortController();
    const stop = onAbort(this.#stopping.signal, () => end.abort());
    reply.raw.once('close', () => {
      stop();
      end.abort();
    });
    return end.signal;
  }
}
