import { readdir, stat } from 'node:fs/promises';
import { StorageError, wrapError } from '../errors.js';
import { SQLITE_BUSY_TIMEOUT_MS } from '../limits.js';
import { Statement, type DatabaseOptions } from './sqlite.js';
import { openNative, type NativeDatabase } from './sqlite-driver.js';
import { wrapSqliteError } from './sqlite-errors.js';

/** query_only, and not a connection that is read-only: the first of a WAL database has to make its shared memory. */
const PRAGMAS = `
  PRAGMA busy_timeout = ${String(SQLITE_BUSY_TIMEOUT_MS)};
  PRAGMA query_only = ON;
  PRAGMA trusted_schema = OFF;
`;

/**
 * An SQLite database that another process writes, `shared` at its own opening. Each statement sees what was committed when
 * it began; whether that would survive a power cut only the writer knows.
 */
export class DatabaseReader implements AsyncDisposable {
  readonly #native: NativeDatabase;
  readonly #what: string;
  #closed = false;

  private constructor(native: NativeDatabase, what: string) {
    this.#native = native;
    this.#what = what;
  }

  /**
   * @throws StorageError NOT_FOUND while nobody has made it, UNSUPPORTED when another version of Shoal writes it, CONFLICT
   * when its writer shares it with nobody
   */
  static async open(options: DatabaseOptions): Promise<DatabaseReader> {
    const what = `${options.name} (${options.file})`;
    let native: NativeDatabase | undefined;
    try {
      await stat(options.file);
      native = await openNative(options.file);
      native.exec(PRAGMAS);
      await checkSchema(native, options.schema, what);
      return new DatabaseReader(native, what);
    } catch (error) {
      native?.close();
      const wrapped = wrapError(error, `Opening ${what}`);
      throw wrapped.code === 'NOT_FOUND' ? wrapped : wrapSqliteError(error, what);
    }
  }

  prepareAll<Name extends string>(statements: Readonly<Record<Name, string>>): Readonly<Record<Name, Statement>> {
    const entries = Object.entries<string>(statements).map(([name, sql]) => {
      const native = this.#call(() => this.#native.prepare(sql));
      return [name, new Statement(native, (call) => this.#call(call))] as const;
    });
    return Object.fromEntries(entries) as Record<Name, Statement>;
  }

  close(): Promise<void> {
    if (!this.#closed) this.#native.close();
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<T>(call: () => T): T {
    if (this.#closed) throw new StorageError('UNAVAILABLE', `${this.#what} is closed.`);
    try {
      return call();
    } catch (error) {
      throw wrapSqliteError(error, this.#what);
    }
  }
}

/** Its writer migrates it; until it has, there is nothing to read. */
async function checkSchema(native: NativeDatabase, folder: URL, what: string): Promise<void> {
  const known = (await readdir(folder)).filter((name) => name.endsWith('.sql')).length;
  const { user_version: version } = native.prepare('PRAGMA user_version').get() as { readonly user_version: number };
  if (version === known) return;
  if (version < known) throw new StorageError('NOT_FOUND', `${what} is still being made.`);
  throw new StorageError('UNSUPPORTED', `${what} is written by a newer version of Shoal. Upgrade this process too.`);
}
