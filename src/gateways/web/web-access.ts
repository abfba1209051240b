import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Session } from '../../catalog/catalog.js';
import type { UserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { UserSessions } from '../../services/user-sessions.js';
import { CSRF_HEADER, type TokenScope } from '../http/web-api.js';
import { isSameSecret, type BrowserSession, type BrowserSessions } from './browser-sessions.js';
import type { ApiToken, TokenBook } from './token-book.js';
import type { ReachedBy, WebOrigins } from './web-origins.js';

/** In whose name a request on TCP is made, and how that was shown. */
export interface Principal {
  readonly kind: 'browser' | 'token';
  /** Of the cookie session, or of the token. */
  readonly id: string;
  /** Name of the user; undefined for whoever has just made the peer, and no user yet. */
  readonly user: string | undefined;
  readonly scope: TokenScope;
  readonly browser?: BrowserSession;
  /** No other user of the same name is meant. */
  readonly userId: UserId | undefined;
}

export interface WebAccessParts {
  readonly origins: WebOrigins;
  readonly browsers: BrowserSessions;
  readonly tokens: Pick<TokenBook, 'find'>;
  readonly sessions: Pick<UserSessions, 'get'>;
  /** Of the cookie: browsers keep cookies by host name, so that those of peers on one machine must differ. */
  readonly cookie: string;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Asking how far an upload is ends whoever adds to it, and makes visible what is whole. */
const UPLOAD_ROUTE = '/api/v1/uploads/:id';
/** Also `/metrics`, see WebShell. */
const METRICS_ROUTE = '/api/v1/metrics';
const BEARER = /^Bearer ([\w-]{16,256})$/i;

/** Who may ask the API for what: one check for every route below /api. */
export class WebAccess {
  readonly #parts: WebAccessParts;
  readonly #principals = new WeakMap<FastifyRequest, Principal>();

  constructor(parts: WebAccessParts) {
    this.#parts = parts;
  }

  /** Every request of this scope is checked before it is read. */
  guard(scope: FastifyInstance): void {
    scope.addHook('onRequest', async (request, reply) => {
      const reached = this.#parts.origins.reachedBy(request.headers);
      const principal = this.#principalOf(request, reached);
      if (principal !== undefined) this.#principals.set(request, principal);
      if (request.routeOptions.config.open === true) return;
      if (principal === undefined) throw unknownCaller(reply);
      this.#checkMethod(principal, request);
      // A token opens nothing by itself: whoever is locked does nothing in this peer's name either.
      if (principal.kind === 'token' && principal.scope !== 'metrics') this.sessionOf(request);
    });
  }

  /** Who makes a request; undefined where nobody says, or the session or the token has ended since. */
  find(request: FastifyRequest): Principal | undefined {
    const found = this.#principals.get(request);
    if (found === undefined) return undefined;
    const isGood =
      found.kind === 'browser' ? this.#parts.browsers.has(found.id) : this.#tokenOf(request)?.id === found.id;
    return isGood ? found : undefined;
  }

  /** @throws StorageError UNAUTHENTICATED */
  principal(request: FastifyRequest): Principal {
    const found = this.find(request);
    if (found === undefined) throw new StorageError('UNAUTHENTICATED', 'Nobody is signed in here. Sign in first.');
    return found;
  }

  /** The user's session at this peer. @throws StorageError UNAUTHENTICATED, LOCKED */
  sessionOf(request: FastifyRequest): Session {
    const { user, userId } = this.principal(request);
    if (user === undefined) throw new StorageError('LOCKED', 'There is no user yet. Make one, or sign in as one.');
    const session = this.#parts.sessions.get(user);
    if (userId === undefined || session.user === userId) return session;
    throw new StorageError('LOCKED', `Another user "${user}" is unlocked at this peer than the one that asks.`);
  }

  /** Gives a cookie to somebody who has just shown who he is. */
  signIn(request: FastifyRequest, reply: FastifyReply, user: string | undefined): BrowserSession {
    const { host, proxied } = this.#parts.origins.reachedBy(request.headers);
    const former = this.find(request)?.browser;
    if (former !== undefined) this.#parts.browsers.end(former.id);
    const name = (request.headers['user-agent'] ?? 'unknown').slice(0, 200);
    const userId = user === undefined ? undefined : this.#parts.sessions.get(user).user;
    const { secret, session } = this.#parts.browsers.open({ user, userId, name, host });
    void reply.header('set-cookie', this.#cookie(secret, proxied, session.expiresMs));
    return session;
  }

  /** Ends the session of this browser. */
  signOut(request: FastifyRequest, reply: FastifyReply): void {
    const { browser } = this.principal(request);
    if (browser !== undefined) this.#parts.browsers.end(browser.id);
    const { proxied } = this.#parts.origins.reachedBy(request.headers);
    void reply.header('set-cookie', this.#cookie('', proxied, 0));
  }

  #cookie(value: string, proxied: boolean, expiresMs: number): string {
    const expires = new Date(expiresMs).toUTCString();
    const name = this.#cookieName(proxied);
    return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict; Expires=${expires}${proxied ? '; Secure' : ''}`;
  }

  /** With TLS the browser itself holds other hosts off it (RFC 6265bis, section 4.1.3.2). */
  #cookieName(proxied: boolean): string {
    return proxied ? `__Host-${this.#parts.cookie}` : this.#parts.cookie;
  }

  #principalOf(request: FastifyRequest, { host, proxied }: ReachedBy): Principal | undefined {
    if (request.headers.authorization !== undefined) {
      const found = this.#tokenOf(request);
      if (found === undefined) return undefined;
      const { id, userName, user: userId, scope } = found;
      return { kind: 'token', id, user: userName, userId, scope };
    }
    const secret = cookieOf(request.headers.cookie, this.#cookieName(proxied));
    const browser = secret === undefined ? undefined : this.#parts.browsers.find(secret, host);
    if (browser === undefined) return undefined;
    const { id, user, userId } = browser;
    return { kind: 'browser', id, user, userId, scope: 'all', browser };
  }

  #tokenOf({ headers: { authorization = '' } }: FastifyRequest): ApiToken | undefined {
    const token = BEARER.exec(authorization)?.[1];
    return token === undefined ? undefined : this.#parts.tokens.find(token);
  }

  #checkMethod({ scope, browser }: Principal, request: FastifyRequest): void {
    if (scope === 'metrics') {
      if (request.routeOptions.url === METRICS_ROUTE) return;
      throw new StorageError('PERMISSION_DENIED', 'This token is for GET /metrics alone.');
    }
    if (browser !== undefined) this.#parts.browsers.touch(browser);
    if (SAFE_METHODS.has(request.method) && request.routeOptions.url !== UPLOAD_ROUTE) return;
    if (scope === 'read') {
      throw new StorageError('PERMISSION_DENIED', 'This token may read, and change nothing.');
    }
    if (browser === undefined) return;
    const csrf = request.headers[CSRF_HEADER];
    if (typeof csrf !== 'string' || !isSameSecret(csrf, browser.csrf)) {
      throw new StorageError(
        'PERMISSION_DENIED',
        `A request by cookie that changes something needs the header ${CSRF_HEADER}, with "csrf" of GET /api/v1/session in it.`,
      );
    }
  }
}

function unknownCaller(reply: FastifyReply): StorageError {
  // RFC 9110, section 15.5.2: a 401 says how to do better.
  void reply.header('www-authenticate', 'Bearer');
  return new StorageError(
    'UNAUTHENTICATED',
    'The request is in nobody\'s name. Sign in, or send a token that is good: "Authorization: Bearer TOKEN".',
  );
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  const found = header?.split('; ').find((pair) => pair.startsWith(prefix));
  return found?.slice(prefix.length);
}
