import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { MAX_IDLE_DATABASES } from '../limits.js';
import type { Logger } from '../log.js';
import { isDatabaseName, parseDatabaseName } from './database-name.js';
import type { DocumentDatabase, DocumentHost } from './document-database.js';
import { LevelDatabase } from './level-database.js';
import { LevelDocuments } from './level-documents.js';

/** A database that could not be opened any more, and was put aside for a new one. */
export interface DamagedDatabase {
  readonly name: string;
  /** Where it lies now. */
  readonly movedTo: string;
  readonly reason: string;
}

/** A database in use; it stays open until everybody who uses it has released it. */
export interface Lease {
  readonly database: LevelDatabase;
  /** Idempotent. */
  readonly release: () => void;
}

export interface LevelHostOptions {
  /** A folder of which each database is a folder. Only one host may have it at a time. */
  readonly directory: string;
  readonly logger: Logger;
  readonly now?: () => Date;
}

interface Held {
  readonly database: Promise<LevelDatabase>;
  leases: number;
}

/** What is left of a database that was deleted, when the peer ended halfway. */
const DROPPED = '.dropped-';

/** Databases in a folder of this peer, each opened once for all who use it in this process. */
export class LevelHost implements DocumentHost {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #now: () => Date;
  /** In the order of use, the longest unused first. */
  readonly #held = new Map<string, Held>();
  /** Databases that are being closed or deleted: whoever wants to open them waits. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #damaged: DamagedDatabase[] = [];
  /** Deleted since this host was opened, and not made anew. */
  readonly #dropped = new Set<string>();
  #closing: Promise<void> | undefined;

  private constructor(options: LevelHostOptions) {
    this.#directory = resolve(options.directory);
    this.#logger = options.logger;
    this.#now = options.now ?? (() => new Date());
  }

  static async open(options: LevelHostOptions): Promise<LevelHost> {
    const host = new LevelHost(options);
    try {
      await mkdir(host.#directory, { recursive: true, mode: 0o700 });
      const names = await readdir(host.#directory);
      for (const name of names.filter((each) => each.includes(DROPPED))) {
        await rm(join(host.#directory, name), { recursive: true, force: true });
      }
    } catch (error) {
      throw wrapError(error, `Opening the databases in ${host.#directory}`);
    }
    return host;
  }

  async open(name: string): Promise<DocumentDatabase> {
    const { database, release } = await this.acquire(name);
    return new LevelDocuments(database, async () => release());
  }

  /** Opens a database for whoever needs more than its documents. It is made when missing. */
  async acquire(name: string): Promise<Lease> {
    parseDatabaseName(name);
    while (this.#leaving.has(name)) await this.#leaving.get(name);
    if (this.#closing) throw new StorageError('UNAVAILABLE', 'The document databases are being closed.');
    const held = this.#held.get(name) ?? { database: this.#load(name), leases: 0 };
    held.leases++;
    this.#held.delete(name);
    this.#held.set(name, held);
    this.#dropped.delete(name);
    try {
      const database = await held.database;
      return { database, release: once(() => this.#release(held)) };
    } catch (error) {
      if (this.#held.get(name) === held) this.#held.delete(name);
      throw error;
    }
  }

  /** As acquire, for whoever only copies: undefined when the database was deleted, which a copy must not undo. */
  async acquireUnlessDropped(name: string): Promise<Lease | undefined> {
    while (this.#leaving.has(name)) await this.#leaving.get(name);
    return this.#dropped.has(name) ? undefined : this.acquire(name);
  }

  /** As acquire, for whoever makes none: undefined when there is no such database, or not any more. */
  async acquireExisting(name: string): Promise<Lease | undefined> {
    return this.#whenThere(name, (isThere) => (isThere ? this.acquire(name) : undefined));
  }

  has(name: string): Promise<boolean> {
    return this.#whenThere(name, (isThere) => isThere);
  }

  async names(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.#directory, { withFileTypes: true });
      const names = entries.filter((entry) => entry.isDirectory() && isDatabaseName(entry.name));
      return names.map(({ name }) => name).sort();
    } catch (error) {
      throw wrapError(error, `Listing the databases in ${this.#directory}`);
    }
  }

  /** Whoever uses the database meanwhile is told that it is closed. */
  async drop(name: string): Promise<void> {
    parseDatabaseName(name);
    while (this.#leaving.has(name)) await this.#leaving.get(name);
    this.#dropped.add(name);
    await this.#leave(name, () => this.#delete(name));
  }

  /** Since this host was opened. */
  damaged(): readonly DamagedDatabase[] {
    return this.#damaged;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#held.keys()].map((name) => this.#leave(name, async () => undefined)));
    await Promise.allSettled(this.#leaving.values());
  }

  /** @param then is called before anybody can delete what was found: a database on its way out is waited for */
  async #whenThere<T>(name: string, then: (isThere: boolean) => T | Promise<T>): Promise<T> {
    for (;;) {
      while (this.#leaving.has(name)) await this.#leaving.get(name);
      const isThere = await this.#isThere(name);
      if (!this.#leaving.has(name)) return then(isThere);
    }
  }

  async #isThere(name: string): Promise<boolean> {
    if (this.#held.has(name)) return true;
    if (!isDatabaseName(name)) return false;
    try {
      return (await stat(join(this.#directory, name))).isDirectory();
    } catch (error) {
      const wrapped = wrapError(error, `Looking for the database ${name}`);
      if (wrapped.code === 'NOT_FOUND') return false;
      throw wrapped;
    }
  }

  async #load(name: string): Promise<LevelDatabase> {
    const place = join(this.#directory, name);
    try {
      return await LevelDatabase.open(place);
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT')) throw error;
      await this.#setAside(name, error);
      return LevelDatabase.open(place);
    }
  }

  async #setAside(name: string, error: StorageError): Promise<void> {
    const movedTo = join(this.#directory, `${name}.damaged-${this.#now().toISOString()}`);
    try {
      await rename(join(this.#directory, name), movedTo);
    } catch (cause) {
      throw wrapError(cause, `Putting aside the damaged database ${name}`);
    }
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    this.#damaged.push({ name, movedTo, reason });
    this.#logger.error({ database: name, movedTo, reason }, 'a damaged database was put aside for an empty one');
  }

  #release(held: Held): void {
    held.leases--;
    const idle = [...this.#held].filter(([, { leases }]) => leases === 0);
    for (const [name] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_DATABASES))) {
      this.#leave(name, async () => undefined).catch((error: unknown) => {
        this.#logger.error({ err: error, database: name }, 'a database could not be closed');
      });
    }
  }

  /** Closes a database, and does something before anybody may open it again. */
  #leave(name: string, then: () => Promise<void>): Promise<void> {
    const held = this.#held.get(name);
    this.#held.delete(name);
    const leaving = (async () => {
      try {
        const database = await held?.database.catch(() => undefined);
        await database?.close();
        await then();
      } finally {
        this.#leaving.delete(name);
      }
    })();
    this.#leaving.set(name, leaving);
    return leaving;
  }

  async #delete(name: string): Promise<void> {
    const place = join(this.#directory, name);
    const dropped = `${place}${DROPPED}${this.#now().toISOString()}`;
    try {
      // Renamed first: half a database would look like a damaged one.
      await rename(place, dropped);
      await rm(dropped, { recursive: true });
    } catch (error) {
      const wrapped = wrapError(error, `Deleting the database ${name}`);
      if (wrapped.code !== 'NOT_FOUND') throw wrapped;
    }
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
