import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError } from '../errors.js';
import { WHOLE_CHECK_MAX_BYTES, SQLITE_BUSY_TIMEOUT_MS } from '../limits.js';
import { GroupCommit } from './group-commit.js';
import { migrate } from './migrations.js';
import { openNative, type NativeDatabase, type NativeStatement, type SqlValue } from './sqlite-driver.js';
import { damagedDatabase, wrapSqliteError } from './sqlite-errors.js';

export type Row = Readonly<Record<string, SqlValue | undefined>>;

export interface DatabaseOptions {
  readonly file: string;
  /** Folder of NNN-*.sql; ends in a slash. */
  readonly schema: URL;
  /** In words a user knows: "The chunk index". */
  readonly name: string;
  /** A DatabaseReader of another process may read it meanwhile. Who writes it must be settled otherwise: see ProcessLock. */
  readonly shared?: boolean;
}

interface Opened {
  readonly what: string;
  readonly file: string;
  readonly wal: FileHandle;
}

/**
 * The lock of locking_mode=EXCLUSIVE is the operating system's and dies with the process, so kill -9 leaves none behind.
 * synchronous=NORMAL leaves the sync of each commit to `Database.write`, which waits for it off the event loop; SQLite
 * itself still syncs around its checkpoints. With secure_delete what was deleted is gone from the file, too: sealed chunks,
 * keys of uploads under way, wraps of passphrases that were given up.
 */
const pragmas = (locking: 'EXCLUSIVE' | 'NORMAL'): string => `
  PRAGMA busy_timeout = ${String(SQLITE_BUSY_TIMEOUT_MS)};
  PRAGMA locking_mode = ${locking};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA secure_delete = ON;
  PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF;
  BEGIN IMMEDIATE;
  COMMIT;
`;

/** An SQLite database of this process alone. Calls block the event loop: keep them few and short. */
export class Database implements AsyncDisposable {
  readonly #native: NativeDatabase;
  readonly #what: string;
  readonly #file: string;
  readonly #wal: FileHandle;
  readonly #commits: GroupCommit;
  #closed: Promise<void> | undefined;
  #released = false;

  private constructor(native: NativeDatabase, { what, file, wal }: Opened) {
    this.#native = native;
    this.#what = what;
    this.#file = file;
    this.#wal = wal;
    this.#commits = new GroupCommit({
      begin: () => {
        this.exec('BEGIN IMMEDIATE');
      },
      commit: () => {
        this.exec('COMMIT');
      },
      // Some errors (a full disk) have rolled back already, and then ROLLBACK is an error of its own.
      rollback: () => {
        try {
          native.exec('ROLLBACK');
        } catch {
          return;
        }
      },
      sync: () => wal.datasync(),
    });
  }

  /**
   * @throws StorageError CONFLICT when another process has it open, CORRUPT when it is damaged, UNSUPPORTED when it was
   * written by a newer version of Shoal
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const what = `${options.name} (${options.file})`;
    let native: NativeDatabase | undefined;
    try {
      native = await openNative(options.file);
      native.exec(pragmas(options.shared === true ? 'NORMAL' : 'EXCLUSIVE'));
      await migrate(native, options.schema, what);
      if (!(await isTooLarge(options.file))) checkWhole(native, what);
      return new Database(native, { what, file: options.file, wal: await openWal(options.file) });
    } catch (error) {
      if (native !== undefined) release(native);
      throw wrapSqliteError(error, what);
    }
  }

  exec(sql: string): void {
    this.#call(() => {
      this.#native.exec(sql);
    });
  }

  prepare(sql: string): Statement {
    const native = this.#call(() => this.#native.prepare(sql));
    return new Statement(native, (call) => this.#call(call));
  }

  /** One statement under each name. */
  prepareAll<Name extends string>(statements: Readonly<Record<Name, string>>): Readonly<Record<Name, Statement>> {
    const entries = Object.entries<string>(statements).map(([name, sql]) => [name, this.prepare(sql)] as const);
    return Object.fromEntries(entries) as Record<Name, Statement>;
  }

  /**
   * Runs `work` in a transaction and resolves with its result once that would survive a power cut. Several writes may share
   * one transaction, and `work` may run again after a rollback: it is nothing but statements.
   */
  write<T>(work: () => T): Promise<T> {
    return this.#commits.run(work);
  }

  /**
   * Looks for damage as opening does, and mends indexes. Nothing is looked at in a database that is too large for that.
   *
   * @returns whether indexes were mended
   * @throws StorageError CORRUPT when more than that is damaged
   */
  async check(): Promise<boolean> {
    if (await isTooLarge(this.#file)) return false;
    return this.write(() => this.#call(() => checkWhole(this.#native, this.#what)));
  }

  /** Makes every index anew from its table, however large. @throws StorageError CORRUPT where rows contradict each other */
  remakeIndexes(): Promise<void> {
    return this.write(() => {
      remakeIndexes(this.#native, this.#what);
    });
  }

  /** Resolves when all that a read could see at the time of the call would survive a power cut. */
  settled(): Promise<void> {
    return this.#commits.settled();
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    this.#released = true;
    await this.#wal.close();
    release(this.#native);
  }

  #call<T>(call: () => T): T {
    if (this.#released) throw new StorageError('UNAVAILABLE', `${this.#what} is closed.`);
    try {
      return call();
    } catch (error) {
      throw wrapSqliteError(error, this.#what);
    }
  }
}

/** The log of a database that is open; SQLite made it, and perhaps only now. */
async function openWal(file: string): Promise<FileHandle> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return await open(`${file}-wal`, 'r');
}

async function isTooLarge(file: string): Promise<boolean> {
  return (await stat(file)).size > WHOLE_CHECK_MAX_BYTES;
}

/**
 * Compares everything with everything. An index that does not match its table is made anew from it: a row that an index does
 * not name is found by nobody, and one that it names wrongly for ever again.
 *
 * @returns whether that was needed
 * @throws StorageError CORRUPT when more than that is damaged
 */
function checkWhole(native: NativeDatabase, what: string): boolean {
  if (faultOf(native) === undefined) return false;
  remakeIndexes(native, what);
  const left = faultOf(native);
  if (left !== undefined) throw damagedDatabase(what, left);
  return true;
}

function faultOf(native: NativeDatabase): string | undefined {
  const row = native.prepare('PRAGMA integrity_check(1)').get() as { readonly integrity_check: string };
  return row.integrity_check === 'ok' ? undefined : row.integrity_check;
}

/** Fails where the rows themselves contradict each other, or cannot be read. */
function remakeIndexes(native: NativeDatabase, what: string): void {
  try {
    native.exec('REINDEX');
  } catch (error) {
    throw damagedDatabase(what, error instanceof Error ? error.message : String(error));
  }
}

/**
 * A driver keeps a connection, and so its lock, until the last prepared statement is garbage-collected, whatever close()
 * says. Leaving WAL mode is the one way to let go of an exclusive lock before that.
 */
function release(native: NativeDatabase): void {
  for (const sql of [
    'ROLLBACK',
    'PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema',
  ]) {
    try {
      native.exec(sql);
    } catch {
      // No transaction to end, or a database that is damaged or somebody else's: then there is nothing to let go of.
    }
  }
  native.close();
}

type Call = <T>(call: () => T) => T;

/** A prepared statement whose errors are StorageErrors. */
export class Statement {
  readonly #native: NativeStatement;
  readonly #call: Call;

  constructor(native: NativeStatement, call: Call) {
    this.#native = native;
    this.#call = call;
  }

  /** @returns rows changed */
  run(...values: readonly SqlValue[]): number {
    return this.#call(() => Number(this.#native.run(...values).changes));
  }

  get(...values: readonly SqlValue[]): Row | undefined {
    return this.#call(() => this.#native.get(...values) as Row | undefined);
  }

  all(...values: readonly SqlValue[]): readonly Row[] {
    return this.#call(() => this.#native.all(...values) as Row[]);
  }
}
