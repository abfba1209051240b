import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../bytes.js';
import { idBytes, parsePeerId, type PeerId } from '../chunk/ids.js';
import { INVITATION_LABEL } from '../crypto/labels.js';
import { StorageError, wrapError } from '../errors.js';
import { INVITATION_HISTORY_MS, MAX_OPEN_INVITATIONS } from '../limits.js';
import { blobOf, integerOf, textOf } from '../store/columns.js';
import { Database, type Row, type Statement } from '../store/sqlite.js';
import { SECRET_BYTES } from './token.js';

export interface Invitation {
  /** The first digits of the hash of its secret: names it, and opens nothing. */
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** For whom it is, in its maker's words; may be empty. */
  readonly note: string;
  /** Whoever joins by it gets the authority's key too. */
  readonly authority: boolean;
  /** Who joined by it. */
  readonly usedBy: PeerId | undefined;
}

export interface NewInvitation extends Invitation {
  /** Is kept nowhere. */
  readonly secret: Uint8Array;
}

const ID_DIGITS = 12;

const STATEMENTS = {
  add: 'INSERT INTO invitations (hash, created_ms, expires_ms, note, authority) VALUES (?, ?, ?, ?, ?)',
  get: 'SELECT * FROM invitations WHERE hash = ?',
  list: 'SELECT * FROM invitations ORDER BY created_ms, hash',
  open: 'SELECT count(*) AS open FROM invitations WHERE peer IS NULL AND expires_ms > ?',
  use: `UPDATE invitations SET peer = ?1, used_ms = coalesce(used_ms, ?2)
        WHERE hash = ?3 AND expires_ms > ?2 AND (peer IS NULL OR peer = ?1)`,
  revoke: 'DELETE FROM invitations WHERE hash = ?',
  forget: 'DELETE FROM invitations WHERE expires_ms < ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * The invitations that this peer has issued: a hash of each secret, so that whoever reads the disk cannot join by it. Several
 * processes of the peer may have it open: one makes them, another one lets peers in by them.
 */
export class Invitations implements AsyncDisposable {
  readonly #database: Database;
  readonly #sql: Statements;

  private constructor(database: Database) {
    this.#database = database;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** Opens `invitations.sqlite` in `directory`, which is created when it is missing. */
  static async open(directory: string): Promise<Invitations> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const schema = new URL('../store/schema/enrolment/', import.meta.url);
      const file = join(directory, 'invitations.sqlite');
      return new Invitations(await Database.open({ file, schema, name: 'The list of invitations', shared: true }));
    } catch (error) {
      throw wrapError(error, `Opening the list of invitations in ${directory}`);
    }
  }

  /** @throws StorageError LIMIT_EXCEEDED when MAX_OPEN_INVITATIONS are waiting already */
  async add(terms: Omit<Invitation, 'id' | 'usedBy'>): Promise<NewInvitation> {
    const { createdMs, expiresMs, note, authority } = terms;
    if (integerOf(this.#sql.open.get(createdMs) ?? {}, 'open') >= MAX_OPEN_INVITATIONS) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        `${String(MAX_OPEN_INVITATIONS)} invitations are open already. Revoke some with \`shoal peer invite --revoke ID\`.`,
      );
    }
    const secret = Uint8Array.from(randomBytes(SECRET_BYTES));
    const hash = hashOf(secret);
    await this.#database.write(() => {
      this.#sql.forget.run(createdMs - INVITATION_HISTORY_MS);
      this.#sql.add.run(hash, createdMs, expiresMs, note, authority ? 1 : 0);
    });
    return { id: idOf(hash), ...terms, usedBy: undefined, secret };
  }

  /** In the order in which they were made. */
  list(): readonly Invitation[] {
    return this.#sql.list.all().map(invitationOf);
  }

  /** undefined for a secret that nobody was given here. */
  find(secret: Uint8Array): Invitation | undefined {
    const row = this.#sql.get.get(hashOf(secret));
    return row === undefined ? undefined : invitationOf(row);
  }

  /**
   * Uses it up for one peer, durably; for the same peer again as often as it asks, because an answer may be lost.
   *
   * @returns whether it did: not for one that has expired, is gone, or served another peer
   */
  async use(secret: Uint8Array, peer: PeerId, nowMs: number): Promise<boolean> {
    return (await this.#database.write(() => this.#sql.use.run(idBytes(peer), nowMs, hashOf(secret)))) === 1;
  }

  /** @throws StorageError NOT_FOUND, CONFLICT for one that was used */
  async revoke(id: string): Promise<void> {
    const found = this.#sql.list.all().find((row) => idOf(blobOf(row, 'hash')) === id);
    if (found === undefined) throw new StorageError('NOT_FOUND', `There is no invitation ${id} here.`);
    const { usedBy } = invitationOf(found);
    if (usedBy !== undefined) {
      throw new StorageError(
        'CONFLICT',
        `Peer ${usedBy.slice(0, 12)} has joined by this invitation. To put it out, use \`shoal peer remove\`.`,
      );
    }
    await this.#database.write(() => this.#sql.revoke.run(blobOf(found, 'hash')));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function hashOf(secret: Uint8Array): Uint8Array {
  return createHash('sha256').update(INVITATION_LABEL).update(secret).digest();
}

function idOf(hash: Uint8Array): string {
  return toHex(hash).slice(0, ID_DIGITS);
}

function invitationOf(row: Row): Invitation {
  return {
    id: idOf(blobOf(row, 'hash')),
    createdMs: integerOf(row, 'created_ms'),
    expiresMs: integerOf(row, 'expires_ms'),
    note: textOf(row, 'note'),
    authority: integerOf(row, 'authority') === 1,
    usedBy: row['peer'] === null ? undefined : parsePeerId(blobOf(row, 'peer')),
  };
}
