import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../bytes.js';
import { idBytes, parsePeerId, type PeerId, type UserId } from '../chunk/ids.js';
import { assert, wrapError } from '../errors.js';
import { MAX_GROUP_WRITES } from '../limits.js';
import { blobOf, integerOf } from './columns.js';
import { Database, type Row, type Statement } from './sqlite.js';

/** A signed record as it came, and what it counts. */
export interface RememberedRecord {
  readonly id: string;
  readonly counter: number;
  readonly signed: Uint8Array;
}

/** The newest change of a peer in the catalog of a user. */
export interface RememberedHead {
  readonly peer: PeerId;
  readonly counter: number;
  /** SHA-256, in hex. */
  readonly document: string;
}

const STATEMENTS = {
  put: `INSERT INTO records (id, counter, signed) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET counter = excluded.counter, signed = excluded.signed`,
  get: 'SELECT id, counter, signed FROM records WHERE id = ?',
  // No id has a character behind "~".
  list: `SELECT id, counter, signed FROM records WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id`,
  putHead: `INSERT INTO heads (user, peer, counter, document) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET counter = excluded.counter, document = excluded.document
        WHERE excluded.counter > heads.counter`,
  heads: 'SELECT peer, counter, document FROM heads WHERE user = ? ORDER BY peer',
  forgetHeads: 'DELETE FROM heads WHERE user = ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * The latest signed records that this peer has believed, and how far it has seen each user's catalog, apart from the document databases: whoever puts an older state
 * of those back, from a backup or on purpose, does not take this along. Never replicated.
 */
export class RecordMemory implements AsyncDisposable {
  readonly #database: Database;
  readonly #sql: Statements;

  private constructor(database: Database) {
    this.#database = database;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** Opens `memory.sqlite` in `directory`, which is created when it is missing. */
  static async open(directory: string): Promise<RecordMemory> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const schema = new URL('schema/memory/', import.meta.url);
      const file = join(directory, 'memory.sqlite');
      return new RecordMemory(await Database.open({ file, schema, name: 'The memory of records' }));
    } catch (error) {
      throw wrapError(error, `Opening the memory of records in ${directory}`);
    }
  }

  get(id: string): RememberedRecord | undefined {
    const row = this.#sql.get.get(id);
    return row === undefined ? undefined : recordOf(row);
  }

  /** In ascending order of id. */
  list(prefix: string): RememberedRecord[] {
    return this.#sql.list.all(prefix).map(recordOf);
  }

  /** Whichever was there before is forgotten: that the new one is later is the caller's to know. */
  async put(records: readonly RememberedRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += MAX_GROUP_WRITES) {
      const some = records.slice(start, start + MAX_GROUP_WRITES);
      await this.#database.write(() => {
        for (const { id, counter, signed } of some) this.#sql.put.run(id, counter, signed);
      });
    }
  }

  /** What this peer has seen of a user's catalog. */
  heads(user: UserId): RememberedHead[] {
    return this.#sql.heads.all(idBytes(user)).map((row) => ({
      peer: parsePeerId(blobOf(row, 'peer')),
      counter: integerOf(row, 'counter'),
      document: toHex(blobOf(row, 'document')),
    }));
  }

  /** Those that count less than what is remembered of their peers change nothing. */
  async putHeads(user: UserId, heads: readonly RememberedHead[]): Promise<void> {
    await this.#database.write(() => {
      for (const { peer, counter, document } of heads) {
        this.#sql.putHead.run(idBytes(user), idBytes(peer), counter, Buffer.from(document, 'hex'));
      }
    });
  }

  async forgetHeads(user: UserId): Promise<void> {
    await this.#database.write(() => this.#sql.forgetHeads.run(idBytes(user)));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function recordOf(row: Row): RememberedRecord {
  const { id } = row;
  assert(typeof id === 'string', 'an id is text');
  return { id, counter: integerOf(row, 'counter'), signed: Uint8Array.from(blobOf(row, 'signed')) };
}
