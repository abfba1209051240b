import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { StorageError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { findPackage } from '../../package.js';
import { timeOrNull } from '../http/replies.js';
import { check } from '../http/requests.js';
import type { SessionReply } from '../http/web-api.js';
import { BrowserSessions, isSameSecret } from './browser-sessions.js';
import { setupRoutes, type SetupParts } from './setup-routes.js';
import { WebAccess } from './web-access.js';
import { WebOrigins } from './web-origins.js';
import { WebShell } from './web-shell.js';

const SECRET_BYTES = 24;
const LINK = z.strictObject({ link: z.string().max(128) });
const { version } = findPackage();

export interface SetupServerOptions {
  /** HOST:PORT. */
  readonly address: string;
  /** Names beside those of this machine itself. */
  readonly hosts: readonly string[];
  readonly setup: SetupParts;
  readonly logger: Logger;
  /** Unix time. */
  readonly now: () => number;
}

/**
 * The web UI of a home without a peer: it knows how to make one, and nothing else. Whoever has the link that its terminal shows
 * may; other users of the machine may not.
 */
export class SetupServer implements AsyncDisposable {
  readonly #shell: WebShell;
  readonly #stop: AbortController;
  /** What signs one browser in. */
  readonly link: string;

  private constructor(shell: WebShell, stop: AbortController, link: string) {
    this.#shell = shell;
    this.#stop = stop;
    this.link = link;
  }

  /** @throws StorageError as WebShell.open */
  static async open(options: SetupServerOptions): Promise<SetupServer> {
    const { address, hosts, logger } = options;
    const stop = new AbortController();
    const link = randomBytes(SECRET_BYTES).toString('base64url');
    const api = (scope: FastifyInstance): void => {
      addApi(scope, options, { link, stopping: stop.signal });
    };
    return new SetupServer(await WebShell.open({ address, hosts, logger, api }), stop, link);
  }

  get port(): number {
    return this.#shell.port;
  }

  async close(): Promise<void> {
    this.#stop.abort(new StorageError('CANCELLED', 'The set-up was ended.'));
    await this.#shell.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Admission {
  readonly link: string;
  readonly stopping: AbortSignal;
}

function addApi(
  scope: FastifyInstance,
  { hosts, setup, now }: SetupServerOptions,
  { link, stopping }: Admission,
): void {
  const access = new WebAccess({
    origins: new WebOrigins(hosts),
    browsers: new BrowserSessions(now),
    tokens: { find: () => undefined },
    sessions: { get: noUser },
    cookie: 'shoal-setup',
  });
  access.guard(scope);
  let unused: string | undefined = link;
  const open = { config: { open: true } };

  scope.get('/v1/session', open, async (request) => sessionReply(access, request));

  scope.post('/v1/session/link', open, async (request, reply) => {
    const given = check(LINK, request.body).link;
    if (unused === undefined || !isSameSecret(given, unused)) {
      throw new StorageError(
        'UNAUTHENTICATED',
        'This link is used up, or of another start. Stop `shoal serve` and start it again: it shows a new one.',
      );
    }
    unused = undefined;
    const { csrf, expiresMs } = access.signIn(request, reply, undefined);
    return replyFor(csrf, expiresMs);
  });

  setupRoutes(scope, { stopping }, setup);
}

function sessionReply(access: WebAccess, request: FastifyRequest): SessionReply {
  const browser = access.find(request)?.browser;
  return replyFor(browser?.csrf ?? null, browser?.expiresMs ?? null);
}

function replyFor(csrf: string | null, expiresMs: number | null): SessionReply {
  return { user: null, csrf, setup: true, version, expires: timeOrNull(expiresMs) };
}

function noUser(): never {
  throw new StorageError('LOCKED', 'There is no user yet.');
}
