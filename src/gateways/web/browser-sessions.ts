import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { UserId } from '../../chunk/ids.js';
import { MAX_BROWSER_SESSIONS, WEB_SESSION_IDLE_MS, WEB_SESSION_MS } from '../../limits.js';

const SECRET_BYTES = 32;
const ID_BYTES = 9;

/** A browser that somebody is signed in with. */
export interface BrowserSession {
  readonly id: string;
  /** Name of the user; undefined for whoever has just made the peer, and no user yet. */
  readonly user: string | undefined;
  /** Another one may come to have that name. */
  readonly userId: UserId | undefined;
  /** What the browser calls itself. */
  readonly name: string;
  /** The Host header that it signed in under: no other one may use the cookie. */
  readonly host: string;
  /** Pages of this server know it, others do not. */
  readonly csrf: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  lastUsedMs: number;
}

/** The cookie sessions of one process, in memory: they end with it, as the users' own sessions do. */
export class BrowserSessions {
  /** By hash of the cookie's value: how long a look-up takes tells nothing of the value. */
  readonly #sessions = new Map<string, BrowserSession>();
  readonly #now: () => number;
  readonly #onEnd = new Set<(session: BrowserSession) => void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The longest unused one makes room. @returns the cookie's value, which is kept nowhere */
  open(of: Pick<BrowserSession, 'user' | 'userId' | 'name' | 'host'>): {
    readonly secret: string;
    readonly session: BrowserSession;
  } {
    const nowMs = this.#now();
    this.expire();
    while (this.#sessions.size >= MAX_BROWSER_SESSIONS) {
      const [oldest] = [...this.#sessions.values()].sort((a, b) => a.lastUsedMs - b.lastUsedMs);
      if (oldest !== undefined) this.end(oldest.id);
    }
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const session: BrowserSession = {
      ...of,
      id: randomBytes(ID_BYTES).toString('base64url'),
      csrf: randomBytes(SECRET_BYTES).toString('base64url'),
      createdMs: nowMs,
      expiresMs: nowMs + WEB_SESSION_MS,
      lastUsedMs: nowMs,
    };
    this.#sessions.set(hashOf(secret), session);
    return { secret, session };
  }

  /** @returns undefined for a cookie that is over, unknown, or another Host's */
  find(secret: string, host: string): BrowserSession | undefined {
    const session = this.#sessions.get(hashOf(secret));
    if (session?.host !== host) return undefined;
    if (!this.#isOver(session)) return session;
    this.end(session.id);
    return undefined;
  }

  /** It was used just now. */
  touch(session: BrowserSession): void {
    session.lastUsedMs = this.#now();
  }

  has(id: string): boolean {
    return [...this.#sessions.values()].some((session) => session.id === id && !this.#isOver(session));
  }

  list(user: string): BrowserSession[] {
    return [...this.#sessions.values()].filter((session) => session.user === user && !this.#isOver(session));
  }

  /** Ends those whose time is up. */
  expire(): void {
    for (const session of [...this.#sessions.values()]) if (this.#isOver(session)) this.end(session.id);
  }

  end(id: string): boolean {
    for (const [hash, session] of this.#sessions) {
      if (session.id !== id) continue;
      this.#sessions.delete(hash);
      for (const tell of this.#onEnd) tell(session);
      return true;
    }
    return false;
  }

  /** @param except the one that stays */
  endAll(user: string, except?: string): void {
    for (const { id, user: of } of [...this.#sessions.values()]) if (of === user && id !== except) this.end(id);
  }

  /** @returns stops it */
  onEnd(tell: (session: BrowserSession) => void): () => void {
    this.#onEnd.add(tell);
    return () => void this.#onEnd.delete(tell);
  }

  #isOver({ lastUsedMs, expiresMs }: BrowserSession): boolean {
    return this.#now() - lastUsedMs >= WEB_SESSION_IDLE_MS || this.#now() >= expiresMs;
  }
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In a time that tells nothing of where they differ. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(a)), Buffer.from(hashOf(b)));
}
