import { randomBytes } from 'node:crypto';
import { MAX_WEB_LINKS, WEB_LINK_MS } from '../../limits.js';
import { hashOf } from './browser-sessions.js';

const SECRET_BYTES = 24;

interface Link {
  /** Name; undefined for whoever has just made the peer, and no user yet. */
  readonly user: string | undefined;
  readonly expiresMs: number;
}

/** Links that sign a browser in: each once, and only for some minutes. In memory: a restart ends them. */
export class Links {
  /** By hash of the secret. */
  readonly #links = new Map<string, Link>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The oldest one makes room. @returns the secret, which is kept nowhere */
  make(user: string): { readonly secret: string; readonly expiresMs: number } {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    return { secret, expiresMs: this.add(secret, user) };
  }

  /** One whose secret somebody has made already. @returns when it ends */
  add(secret: string, user: string | undefined): number {
    for (const [hash, { expiresMs }] of this.#links) if (expiresMs <= this.#now()) this.#links.delete(hash);
    const [oldest] = this.#links.keys();
    if (this.#links.size >= MAX_WEB_LINKS && oldest !== undefined) this.#links.delete(oldest);
    const expiresMs = this.#now() + WEB_LINK_MS;
    this.#links.set(hashOf(secret), { user, expiresMs });
    return expiresMs;
  }

  /** Those of one user. */
  drop(user: string): void {
    for (const [hash, link] of this.#links) if (link.user === user) this.#links.delete(hash);
  }

  /** Whom it is for, once; undefined for one that is used up, too old, or was never made. */
  use(secret: string): Pick<Link, 'user'> | undefined {
    const hash = hashOf(secret);
    const link = this.#links.get(hash);
    this.#links.delete(hash);
    return link === undefined || link.expiresMs <= this.#now() ? undefined : link;
  }
}
