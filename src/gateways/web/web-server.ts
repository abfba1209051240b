import type { FastifyInstance } from 'fastify';
import { StorageError } from '../../errors.js';
import { CLOSE_GRACE_MS } from '../../limits.js';
import { addRoutes, takeStreams, type ApiParts } from '../http/api-routes.js';
import { InProgress } from '../http/in-progress.js';
import { observe } from '../http/observe.js';
import type { GatewayParts, Routes } from '../http/routes.js';
import { describeApi, serveDescription } from './open-api.js';
import { admitAnew, type Entrance, sessionRoutes } from './session-routes.js';
import { signInRoutes } from './sign-in-routes.js';
import { WebAccess } from './web-access.js';
import { WebOrigins } from './web-origins.js';
import { WebShell } from './web-shell.js';

export interface WebOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** Names beside those of this machine itself. */
  readonly hosts: readonly string[];
  readonly api: ApiParts & { readonly gateway: GatewayParts };
  readonly entrance: Entrance;
}

/** The web UI and the HTTP API on TCP (web-api.ts), for browsers and programs that show in whose name they ask. */
export class WebServer implements AsyncDisposable {
  readonly #shell: WebShell;
  readonly #ending: Ending;

  private constructor(shell: WebShell, ending: Ending) {
    this.#shell = shell;
    this.#ending = ending;
  }

  /** @throws StorageError as WebShell.open */
  static async open(options: WebOptions): Promise<WebServer> {
    const { address, hosts, api, entrance } = options;
    const { logger, gateway } = api;
    const { browsers, tokens } = entrance;
    const [stop, work] = [new AbortController(), new InProgress()];
    const access = new WebAccess({
      origins: new WebOrigins(hosts),
      ...{ browsers, tokens },
      sessions: gateway.sessions,
      cookie: `shoal-${gateway.self.slice(0, 8)}`,
    });
    const routes = (scope: FastifyInstance): Promise<void> =>
      addApi(scope, options, { access, work, stopping: stop.signal });
    const shell = await WebShell.open({ address, hosts, logger, api: routes });
    return new WebServer(shell, { stop, work });
  }

  get port(): number {
    return this.#shell.port;
  }

  /** Lets transfers in progress end, for a while; new ones are refused. */
  async drain(withinMs: number): Promise<void> {
    const { work } = this.#ending;
    work.refuse(new StorageError('UNAVAILABLE', 'This peer is shutting down. Try again when it is back.'));
    await work.ended(withinMs);
  }

  /** Ends requests in progress, as the control server does. */
  async close(): Promise<void> {
    const { stop, work } = this.#ending;
    stop.abort(new StorageError('UNAVAILABLE', 'This peer is shutting down. Try again when it is back.'));
    await work.ended(CLOSE_GRACE_MS);
    await this.#shell.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Ending {
  readonly stop: AbortController;
  readonly work: InProgress;
}

interface AccessParts {
  readonly access: WebAccess;
  readonly work: InProgress;
  readonly stopping: AbortSignal;
}

/** Everything below /api, each route once, for whoever has shown who he is. */
async function addApi(scope: FastifyInstance, { api, entrance }: WebOptions, parts: AccessParts): Promise<void> {
  const { access, work, stopping } = parts;
  const routes: Routes = {
    logger: api.logger,
    stopping,
    track: work.track,
    sessionOf: (request) => access.sessionOf(request),
    userOf: (request) => access.find(request)?.user,
    allowed: (request, reply) => {
      const { id, user } = access.principal(request);
      return api.gateway.admitted.admit({ user, caller: id }, reply.raw);
    },
    callerOf: (request) => access.principal(request).id,
    note: (kind, text) => api.records?.activity.add(kind, text),
    onSecret: (request, user, revokeTokens) =>
      admitAnew(entrance, user, { revokeTokens, except: access.find(request)?.id }),
  };
  if (api.metrics !== undefined) observe(scope, api.metrics.telemetry, api.logger);
  scope.addHook('onRequest', async () => {
    work.admit();
  });
  access.guard(scope);
  takeStreams(scope);
  await describeApi(scope);
  addRoutes(scope, api, routes, 'web');
  signInRoutes(scope, { gateway: api.gateway, access, note: routes.note, ...entrance });
  sessionRoutes(scope, routes, entrance);
  await serveDescription(scope);
}
