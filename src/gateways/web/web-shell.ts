import { fastify, type FastifyInstance } from 'fastify';
import { BROWSER_BODY_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { answerEarly } from '../http/early-answers.js';
import { MAX_BODY_BYTES, tellNothing, tellProblems } from '../http/api-routes.js';
import { API_POLICY, setHeaders, UI_POLICY } from './security-headers.js';
import { findWebFiles, serveFiles } from './static-files.js';
import { WebListener } from './web-listener.js';
import { checkReach, WebOrigins } from './web-origins.js';

export interface ShellOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** Names beside those of this machine itself. */
  readonly hosts: readonly string[];
  readonly logger: Logger;
  /** Adds what answers below /api. Whose page asks has been checked before; who asks is its own business. */
  readonly api: (scope: FastifyInstance) => void | Promise<void>;
}

/** What every web server of Shoal is: a port, the files of the UI, and an API that pages of other sites cannot ask. */
export class WebShell implements AsyncDisposable {
  readonly #app: FastifyInstance;
  readonly #listener: WebListener;

  private constructor(app: FastifyInstance, listener: WebListener) {
    this.#app = app;
    this.#listener = listener;
  }

  /** @throws StorageError UNAVAILABLE for a port that is taken; INVALID_ARGUMENT for an address that needs `hosts` */
  static async open(options: ShellOptions): Promise<WebShell> {
    checkReach(options.address, options.hosts);
    const app = await openApp(options);
    try {
      const listener = await WebListener.open(options.address, (request, response) => {
        app.routing(request, response);
      });
      return new WebShell(app, listener);
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await this.#listener.close();
    await this.#app.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function openApp({ hosts, logger, api }: ShellOptions): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // One made of a GET would read a whole file to tell its length.
    exposeHeadRoutes: false,
    // Where Prometheus looks unless it is told otherwise.
    rewriteUrl: ({ url = '/' }) => (/^\/metrics(\?|$)/.test(url) ? `/api/v1${url}` : url),
    routerOptions: { maxParamLength: 256 },
  });
  const origins = new WebOrigins(hosts);
  tellProblems(app, logger);
  app.addHook('onRequest', async ({ headers }) => void origins.reachedBy(headers));
  await app.register(
    async (scope) => {
      // What somebody may see now is not for whoever has the browser next.
      setHeaders(scope, API_POLICY, { 'cache-control': 'no-store' });
      scope.addHook('onRequest', async ({ headers }) => {
        origins.checkSite(headers, origins.reachedBy(headers));
      });
      hurryBodies(scope);
      tellNothing(scope);
      answerEarly(scope);
      await api(scope);
    },
    { prefix: '/api' },
  );
  await app.register(async (scope) => {
    setHeaders(scope, UI_POLICY);
    await serveFiles(scope, findWebFiles());
  });
  await app.ready();
  return app;
}

/** A JSON body that comes byte by byte takes nobody's place for long. */
function hurryBodies(scope: FastifyInstance): void {
  scope.addHook('preParsing', async ({ raw, headers }) => {
    if (!/^application\/json/i.test(headers['content-type'] ?? '')) return;
    const late = setTimeout(() => raw.destroy(), BROWSER_BODY_MS);
    const stop = (): void => {
      clearTimeout(late);
    };
    raw.once('end', stop);
    raw.once('close', stop);
  });
}
