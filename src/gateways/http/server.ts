import { rm } from 'node:fs/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { listenOnSocket } from '../../documents/unix-listener.js';
import { ERRORS, StorageError, wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { CLOSE_GRACE_MS } from '../../limits.js';
import type { ProblemReply } from './api.js';
import { downloadRoutes, uploadRoutes } from './content-routes.js';
import { entryRoutes } from './entry-routes.js';
import { exportRoutes } from './export-routes.js';
import { forwardRoutes } from './forward.js';
import { healthRoutes, type HealthSource } from './health-routes.js';
import { importRoutes } from './import-routes.js';
import { InProgress } from './in-progress.js';
import { networkRoutes, type NetworkParts } from './network-routes.js';
import { recoveryRoutes } from './recovery-routes.js';
import { removalRoutes } from './removal-routes.js';
import { sessionAmong, type GatewayParts, type ReceiverParts, type Routes, type SenderParts } from './routes.js';
import { receiverRoutes, senderRoutes } from './service-routes.js';
import { ServiceClient } from './service-client.js';
import { sessionFromHeader } from './session-header.js';
import { statusRoutes } from './status-routes.js';
import { userRoutes } from './user-routes.js';

/** What answers on one control socket. */
export interface ControlOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  readonly health: HealthSource;
  /** Where the gateway runs. Elsewhere, requests come from it and name their session. */
  readonly gateway?: GatewayParts;
  /** Of the gateway. Absent: nothing is told of the network, and nobody invited. */
  readonly network?: NetworkParts;
  /** The File Sender in this process; for the gateway also: where to reach it. */
  readonly sender?: SenderParts | ServiceClient;
  /** The File Receiver in this process; for the gateway also: where to reach it. */
  readonly receiver?: ReceiverParts | ServiceClient;
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
    server.addHook('onRequest', async ({ url }) => {
      // How the process is may be asked to the end.
      if (url !== '/v1/live' && url !== '/v1/health') work.admit();
    });
    addRoutes(server, options, { stopping: stop.signal, track: work.track });
    await listenOnSocket(server, options.socket);
    return new ControlServer(server, options.socket, { stop, work });
  }

  /** Lets transfers in progress end, for a while; new ones are refused. */
  async drain(withinMs: number): Promise<void> {
    this.#work.refuse(new StorageError('UNAVAILABLE', 'This peer is shutting down. Try again when it is back.'));
    await this.#work.ended(withinMs);
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

function addRoutes(
  server: FastifyInstance,
  { health, gateway, network, sender, receiver, logger }: ControlOptions,
  life: Pick<Routes, 'stopping' | 'track'>,
): void {
  const sessionOf: Routes['sessionOf'] =
    gateway === undefined ? sessionFromHeader : (request) => sessionAmong(gateway.sessions, request);
  const routes: Routes = { ...life, logger, sessionOf };
  healthRoutes(server, routes, health);
  if (gateway !== undefined) {
    statusRoutes(server, routes, gateway);
    userRoutes(server, routes, gateway);
    entryRoutes(server, routes, gateway);
    if (network !== undefined) networkRoutes(server, routes, network);
  }
  if (sender instanceof ServiceClient) forwardRoutes(server, routes, { service: 'file-sender', client: sender });
  else if (sender !== undefined) {
    uploadRoutes(server, routes, sender);
    importRoutes(server, routes, sender);
    removalRoutes(server, routes, sender);
    recoveryRoutes(server, routes, sender);
    if (gateway === undefined) senderRoutes(server, routes, sender);
  }
  if (receiver instanceof ServiceClient) forwardRoutes(server, routes, { service: 'file-receiver', client: receiver });
  else if (receiver !== undefined) {
    downloadRoutes(server, routes, receiver);
    exportRoutes(server, routes, receiver);
    if (gateway === undefined) receiverRoutes(server, receiver);
  }
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
