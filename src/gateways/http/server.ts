import { rm } from 'node:fs/promises';
import { fastify, type FastifyInstance } from 'fastify';
import { listenOnSocket } from '../../documents/unix-listener.js';
import { StorageError } from '../../errors.js';
import { CLOSE_GRACE_MS } from '../../limits.js';
import { addRoutes, MAX_BODY_BYTES, takeStreams, tellNothing, tellProblems, type ApiParts } from './api-routes.js';
import { answerEarly } from './early-answers.js';
import { admitAnew } from '../web/session-routes.js';
import { InProgress } from './in-progress.js';
import { observe } from './observe.js';
import { sessionAmong, userNamed, type GatewayParts, type Routes } from './routes.js';
import { sessionFromHeader } from './session-header.js';

/** Whoever asks here is the peer's own system user. */
const LOCAL = 'local';

/** What answers on one control socket. */
export interface ControlOptions extends ApiParts {
  /** Path of the unix socket. */
  readonly socket: string;
}

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
      // One made of a GET would read a whole file to tell its length.
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 256 },
    });
    takeStreams(server);
    tellProblems(server, options.logger);
    tellNothing(server);
    answerEarly(server);
    if (options.metrics !== undefined) observe(server, options.metrics.telemetry, options.logger);
    const work = new InProgress();
    server.addHook('onRequest', async ({ url }) => {
      // How the process is may be asked to the end.
      if (url !== '/v1/live' && url !== '/v1/health') work.admit();
    });
    const { gateway, logger } = options;
    const sessionOf: Routes['sessionOf'] =
      gateway === undefined ? sessionFromHeader : (request) => sessionAmong(gateway.sessions, request);
    const routes: Routes = {
      ...{ logger, sessionOf, stopping: stop.signal, track: work.track },
      ...(gateway !== undefined && { allowed: allowedBy(gateway) }),
      userOf: userNamed,
      callerOf: () => LOCAL,
      note: (kind, text) => options.records?.activity.add(kind, text),
      onSecret: async (_request, user, revokeTokens) =>
        options.entrance === undefined ? 0 : admitAnew(options.entrance, user, { revokeTokens }),
    };
    addRoutes(server, options, routes, 'local');
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
    this.#stop.abort(new StorageError('UNAVAILABLE', 'This peer is shutting down. Try again when it is back.'));
    await this.#work.ended(CLOSE_GRACE_MS);
    await this.#server.close();
    await rm(this.#socket, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** On this socket nobody has a session of his own: it counts whether the user in whose name it is done is unlocked. */
function allowedBy({ admitted }: GatewayParts): NonNullable<Routes['allowed']> {
  return (_request, reply, session) => admitted.admit({ user: session?.name, caller: LOCAL }, reply.raw);
}

interface Ending {
  readonly stop: AbortController;
  readonly work: InProgress;
}
