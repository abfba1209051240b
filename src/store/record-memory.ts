import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
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

const STATEMENTS = {
  put: `INSERT INTO records (id, counter, signed) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET counter = excluded.counter, signed = excluded.signed`,
  get: 'SELECT id, counter, signed FROM records WHERE id = ?',
  // No id has a character behind "~".
  list: `SELECT id, counter, signed FROM records WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id`,
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/**
 * The latest signed records that this peer has believed, apart from the document databases: whoever puts an older state
 * of those back, from a backup or on purpose, does not take this along. Never replicated.
 */
export class RecordMemory implements AsyncDisposable {
  readonly #database: Database;
  readonly #sql: Statements;

  private constructor(database: Database) {
    this.#database = database;
    // A user's record holds a wrap: that of a passphrase that was given up has to be gone from the file too.
    database.exec('PRAGMA secure_delete = ON');
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
