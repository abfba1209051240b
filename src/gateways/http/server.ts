import { rm } from 'node:fs/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { listenOnSocket } from '../../documents/unix-listener.js';
import { ERRORS, StorageError, wrapError } from '../../errors.js';
import type { Engine } from '../../file/engine.js';
import type { Logger } from '../../log.js';
import type { UserSessions } from '../../services/user-sessions.js';
import type { DiskStore } from '../../store/disk-store.js';
import { CLOSE_GRACE_MS } from '../../limits.js';
import type { ProblemReply } from './api.js';
import type { DocumentsSource } from './documents-status.js';
import { contentRoutes } from './content-routes.js';
import { entryRoutes } from './entry-routes.js';
import { recoveryRoutes } from './recovery-routes.js';
import { networkRoutes, type NetworkParts } from './network-routes.js';
import { InProgress } from './in-progress.js';
import { statusRoutes } from './status-routes.js';
import { transferRoutes } from './transfer-routes.js';
import { userRoutes } from './user-routes.js';

export interface ControlOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  readonly engine: Engine;
  readonly sessions: UserSessions;
  readonly store: DiskStore;
  readonly documents: DocumentsSource;
  /** Absent: nothing is told of the network, and nobody invited. */
  readonly network?: NetworkParts;
  readonly logger: Logger;
}

/** Bytes of a JSON request: an export of MAX_EXPORT_ITEMS paths. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The control API (api.ts) on a unix socket that only the peer's own system user can open. */
export class ControlServer implements AsyncDisposable {
  readonly #server: FastifyInstance;
  readonly #socket: string;
  readonly #stop: AbortController;
  readonly #work: InProgress;

  private constructor(server: FastifyInstance, socket: string, { stop, work }: Ending) {
    this.#server = server;
    this.#socket = socket;
    this.#stop = stop;
    this.#work = work;
  }

  static async open(options: ControlOptions): Promise<ControlServer> {
    const stop = new AbortController();
    const server = fastify({
      bodyLimit: MAX_BODY_BYTES,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 256 },
    });
    // Streams are read by their routes; only JSON is read whole.
    for (const type of ['application/octet-stream', 'application/x-ndjson']) {
      server.addContentTypeParser(type, (_request, payload, done) => {
        done(null, payload);
      });
    }
    server.setErrorHandler(async (error, _request, reply) => {
      const { code, message } = problemOf(error, options.logger);
      await reply.code(ERRORS[code].http).send({ code, message } satisfies ProblemReply);
    });
    server.setNotFoundHandler(async (request, reply) => {
      const problem: ProblemReply = {
        code: 'NOT_FOUND',
        message: `There is no ${request.method} ${request.url.slice(0, 100)} here.`,
      };
      await reply.code(404).send(problem);
    });
    const work = new InProgress();
    const routes = { ...options, stopping: stop.signal, track: work.track };
    statusRoutes(server, routes);
    if (options.network !== undefined) networkRoutes(server, routes, options.network);
    userRoutes(server, routes);
    recoveryRoutes(server, routes);
    entryRoutes(server, routes);
    contentRoutes(server, routes);
    transferRoutes(server, routes);
    await listenOnSocket(server, options.socket);
    return new ControlServer(server, options.socket, { stop, work });
  }

  /** Ends requests in progress; transfers get CLOSE_GRACE_MS to give back what they have stored and to say how they ended. */
  async close(): Promise<void> {
    this.#stop.abort(new StorageError('CANCELLED', 'This peer is shutting down.'));
    await this.#work.ended(CLOSE_GRACE_MS);
    await this.#server.close();
    await rm(this.#socket, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Ending {
  readonly stop: AbortController;
  readonly work: InProgress;
}

function problemOf(error: unknown, logger: Logger): ProblemReply {
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    const code = error.statusCode === 413 ? 'LIMIT_EXCEEDED' : 'INVALID_ARGUMENT';
    return { code, message: error.message };
  }
  const wrapped = wrapError(error, 'The request');
  if (wrapped.code === 'INTERNAL') logger.error({ err: error }, 'request failed');
  return { code: wrapped.code, message: wrapped.message };
}
