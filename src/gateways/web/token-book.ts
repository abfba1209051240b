import { createHash, randomBytes } from 'node:crypto';
import { toHex } from '../../bytes.js';
import { idBytes, parseUserId, type UserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { MAX_API_TOKENS } from '../../limits.js';
import { blobOf, integerOf, textOf } from '../../store/columns.js';
import type { Database, Row, Statement } from '../../store/sqlite.js';
import type { TokenScope } from '../http/web-api.js';

export interface ApiToken {
  /** The first digits of its hash: names it, and opens nothing. */
  readonly id: string;
  readonly user: UserId;
  readonly userName: string;
  /** In its maker's words. */
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly lastUsedMs: number;
}

export type NewToken = Pick<ApiToken, 'user' | 'userName' | 'name' | 'scope' | 'expiresMs'>;

const SECRET_BYTES = 32;
const ID_DIGITS = 16;
/** So that whoever finds one in a log or a repository knows what it is. */
const PREFIX = 'shoal_';
/** How exactly the last use is remembered. */
const USE_STEP_MS = 60_000;

const STATEMENTS = {
  add: `INSERT INTO tokens (hash, user, user_name, name, scope, created_ms, expires_ms, last_used_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6)`,
  get: 'SELECT * FROM tokens WHERE hash = ?',
  list: 'SELECT * FROM tokens WHERE user = ? AND expires_ms > ? ORDER BY created_ms, hash',
  count: 'SELECT count(*) AS tokens FROM tokens',
  use: 'UPDATE tokens SET last_used_ms = ? WHERE hash = ?',
  remove: 'DELETE FROM tokens WHERE hash = ?',
  forget: 'DELETE FROM tokens WHERE expires_ms <= ? RETURNING hash',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** The tokens of programs, on this machine's disk. They are good while their user is unlocked at this peer. */
export class TokenBook {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #sql: Statements;
  readonly #onEnd = new Set<(id: string) => void>();

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** @returns with the token itself, which is kept nowhere @throws StorageError LIMIT_EXCEEDED */
  async make({ user, userName, name, scope, expiresMs }: NewToken): Promise<ApiToken & { readonly token: string }> {
    const nowMs = this.#now();
    const token = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const hash = hashOf(token);
    const over = await this.#database.write(() => {
      const forgotten = this.#forget(nowMs);
      if (integerOf(this.#sql.count.get() ?? {}, 'tokens') >= MAX_API_TOKENS) {
        throw new StorageError(
          'LIMIT_EXCEEDED',
          `There are ${String(MAX_API_TOKENS)} tokens at this peer already. Revoke some with \`shoal token rm\`.`,
        );
      }
      this.#sql.add.run(hash, idBytes(user), userName, name, scope, nowMs, expiresMs);
      return forgotten;
    });
    this.#tell(over);
    return { id: idOf(hash), user, userName, name, scope, createdMs: nowMs, expiresMs, lastUsedMs: nowMs, token };
  }

  /** undefined for one that is unknown or over. Finding it is a use of it. */
  find(token: string): ApiToken | undefined {
    const hash = hashOf(token);
    const row = this.#sql.get.get(hash);
    const nowMs = this.#now();
    if (row === undefined || integerOf(row, 'expires_ms') <= nowMs) return undefined;
    // Not worth a wait for the disk: the last use is for people to look at.
    if (nowMs - integerOf(row, 'last_used_ms') >= USE_STEP_MS) this.#sql.use.run(nowMs, hash);
    return tokenOf(row);
  }

  list(user: UserId): ApiToken[] {
    return this.#sql.list.all(idBytes(user), this.#now()).map(tokenOf);
  }

  /** @returns whether there was one of that user */
  async remove(user: UserId, id: string): Promise<boolean> {
    return (await this.#remove(user, (each) => each === id)) === 1;
  }

  /** All of that user. @param except the one that stays */
  async removeAll(user: UserId, except?: string): Promise<void> {
    await this.#remove(user, (each) => each !== except);
  }

  /** Tells the id of one that is good no more: revoked, or, by `expire`, too old. @returns stops it */
  onEnd(tell: (id: string) => void): () => void {
    this.#onEnd.add(tell);
    return () => void this.#onEnd.delete(tell);
  }

  /** Tells of those whose time is up, and forgets them. */
  async expire(): Promise<void> {
    const nowMs = this.#now();
    this.#tell(await this.#database.write(() => this.#forget(nowMs)));
  }

  /** @returns their ids */
  #forget(nowMs: number): readonly string[] {
    return this.#sql.forget.all(nowMs).map((row) => idOf(blobOf(row, 'hash')));
  }

  async #remove(user: UserId, isMeant: (id: string) => boolean): Promise<number> {
    const hashes = this.#sql.list.all(idBytes(user), 0).map((row) => blobOf(row, 'hash'));
    const meant = hashes.filter((hash) => isMeant(idOf(hash)));
    await this.#database.write(() => {
      for (const hash of meant) this.#sql.remove.run(hash);
    });
    this.#tell(meant.map(idOf));
    return meant.length;
  }

  #tell(ids: readonly string[]): void {
    for (const id of ids) for (const tell of this.#onEnd) tell(id);
  }
}

function hashOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

function idOf(hash: Uint8Array): string {
  return toHex(hash).slice(0, ID_DIGITS);
}

function tokenOf(row: Row): ApiToken {
  return {
    id: idOf(blobOf(row, 'hash')),
    user: parseUserId(blobOf(row, 'user')),
    userName: textOf(row, 'user_name'),
    name: textOf(row, 'name'),
    scope: textOf(row, 'scope') as TokenScope,
    createdMs: integerOf(row, 'created_ms'),
    expiresMs: integerOf(row, 'expires_ms'),
    lastUsedMs: integerOf(row, 'last_used_ms'),
  };
}
