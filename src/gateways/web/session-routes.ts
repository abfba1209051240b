import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import { MAX_TOKEN_DAYS, MAX_TOKEN_NAME_CHARS, MAX_USER_NAME_CHARS } from '../../limits.js';
import { timeOf } from '../http/replies.js';
import { check } from '../http/requests.js';
import type { Replaced, Routes } from '../http/routes.js';
import type { LinkReply, TokenReply, WebSessionReply } from '../http/web-api.js';
import type { BrowserSession, BrowserSessions } from './browser-sessions.js';
import type { Links } from './links.js';
import type { ApiToken, TokenBook } from './token-book.js';

const DAY_MS = 24 * 60 * 60 * 1000;
export const SESSION_REQUESTS = {
  token: z.strictObject({
    name: z.string().min(1).max(MAX_TOKEN_NAME_CHARS),
    scope: z.enum(['all', 'read', 'metrics']),
    days: z.number().int().min(1).max(MAX_TOKEN_DAYS),
  }),
  id: z.strictObject({ id: z.string().min(1).max(64) }),
  link: z.strictObject({ user: z.string().max(MAX_USER_NAME_CHARS).optional() }),
} as const;

/** Who may come in from TCP. */
export interface Entrance {
  readonly links: Links;
  readonly tokens: TokenBook;
  readonly browsers: BrowserSessions;
  /** Where the web UI is; undefined where it is switched off. */
  readonly url: () => string | undefined;
  /** Unix time. */
  readonly now: () => number;
}

/**
 * The user's passphrase or keys were replaced: whoever came in before comes anew, but for one browser.
 *
 * @returns tokens that are still good
 */
export async function admitAnew(
  { browsers, links, tokens }: Entrance,
  { id, name }: Replaced,
  { revokeTokens, except }: { readonly revokeTokens: boolean; readonly except?: string | undefined },
): Promise<number> {
  browsers.endAll(name, except);
  links.drop(name);
  if (revokeTokens) await tokens.removeAll(id, except);
  return tokens.list(id).length;
}

/** Which browsers and programs may ask in a user's name; on the control socket, too. */
export function sessionRoutes(server: FastifyInstance, routes: Routes, { tokens, browsers, now }: Entrance): void {
  const { sessionOf, callerOf } = routes;

  server.get('/v1/sessions', async (request): Promise<WebSessionReply[]> => {
    const { name, user } = sessionOf(request);
    const own = callerOf(request);
    return [
      ...browsers.list(name).map((browser) => browserReply(browser, own)),
      ...tokens.list(user).map((token) => tokenReply(token, own)),
    ];
  });

  server.delete('/v1/sessions', async (request, reply) => {
    const { name, user } = sessionOf(request);
    const { id } = check(SESSION_REQUESTS.id, request.query);
    const isBrowser = browsers.list(name).some((browser) => browser.id === id);
    const isGone = isBrowser ? browsers.end(id) : await tokens.remove(user, id);
    if (!isGone) throw new StorageError('NOT_FOUND', `There is no session or token ${id} of this user here.`);
    return reply.code(204).send();
  });

  server.post('/v1/tokens', async (request): Promise<TokenReply> => {
    const { name: userName, user } = sessionOf(request);
    // One that has got into the wrong hands would live on in others, beyond its days and its revocation.
    if (tokens.list(user).some((token) => token.id === callerOf(request))) {
      throw new StorageError(
        'PERMISSION_DENIED',
        'A token makes no tokens. Make it in the web UI, or by `shoal token create`.',
      );
    }
    const { name, scope, days } = check(SESSION_REQUESTS.token, request.body);
    const { id, token, expiresMs } = await tokens.make({
      ...{ user, userName, name, scope },
      expiresMs: now() + days * DAY_MS,
    });
    return { id, token, expires: timeOf(expiresMs) };
  });
}

/** A link into the web UI, on the control socket: whoever can ask there could as well unlock, and read all. */
export function linkRoutes(
  server: FastifyInstance,
  { links, url }: Entrance,
  sessionFor: (request: FastifyRequest, user: string | undefined) => Session | undefined,
): void {
  server.post('/v1/web/link', async (request): Promise<LinkReply> => {
    const { user } = check(SESSION_REQUESTS.link, request.body ?? {});
    const address = url();
    if (address === undefined) {
      throw new StorageError(
        'UNSUPPORTED',
        'This peer has no web UI: the setting "web" (SHOAL_WEB) is "off". Set it to 127.0.0.1:8484, say, and start the peer again.',
      );
    }
    const session = sessionFor(request, user);
    if (session === undefined) return { url: `${address}/`, expires: null };
    const { secret, expiresMs } = links.make(session.name);
    return { url: `${address}/#link=${secret}`, expires: timeOf(expiresMs) };
  });
}

function browserReply(browser: BrowserSession, current: string): WebSessionReply {
  const { id, name, user, createdMs, lastUsedMs, expiresMs } = browser;
  const times = { created: timeOf(createdMs), lastUsed: timeOf(lastUsedMs), expires: timeOf(expiresMs) };
  return { id, kind: 'browser', name, user: user ?? '', scope: 'all', ...times, current: id === current };
}

function tokenReply(token: ApiToken, current: string): WebSessionReply {
  const { id, name, userName: user, scope, createdMs, lastUsedMs, expiresMs } = token;
  const times = { created: timeOf(createdMs), lastUsed: timeOf(lastUsedMs), expires: timeOf(expiresMs) };
  return { id, kind: 'token', name, user, scope, ...times, current: id === current };
}
