import { readdir } from 'node:fs/promises';
import { StorageError, wrapError } from '../errors.js';
import { CHANGES_PAGE, COMPACTION_CONCURRENCY } from '../limits.js';
import { onAbort } from '../on-abort.js';
import { ChangeReader, type ChangePage, type Current, type Winner } from './change-reader.js';
import { checkedLevelDown, type Damage, type LevelDown } from './checked-leveldb.js';
import { DurableFlush } from './durable.js';
import { damagedDatabase, wrapLevelDb } from './level-errors.js';
import { PouchDB, type Pouch } from './pouch.js';

interface Opened {
  readonly pouch: Pouch;
  readonly level: LevelDown;
  readonly reader: ChangeReader;
  /** Random, made with the database: sequences of another one mean nothing here. */
  readonly epoch: string;
  /** What must end before it is closed: a native read of a closed LevelDB ends the process. */
  readonly running: Set<Promise<unknown>>;
}

async function openLevel(directory: string, damage: Damage): Promise<Opened> {
  await demandCurrent(directory);
  const before = damage.count;
  const made: LevelDown[] = [];
  const pouch = new PouchDB(directory, {
    adapter: 'leveldb',
    db: checkedLevelDown(damage, (level) => made.push(level)),
  });
  await pouch.info();
  const [level] = made;
  if (damage.count === before && level !== undefined) {
    const epoch = (await pouch.id()).slice(0, 8);
    return { pouch, level, reader: new ChangeReader(level, damage), epoch, running: new Set() };
  }
  // A lost update counter would begin again at 0 and overwrite what is there.
  await pouch.close();
  throw damagedDatabase(directory);
}

/** Tables and logs of LevelDB; the descriptor is there before the very first CURRENT. */
const CONTENTS = /^\d+\.(ldb|sst|log)$/;

/** LevelDB takes a folder without its file CURRENT for a new database, whatever else is in it, and deletes that. */
async function demandCurrent(directory: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const wrapped = wrapError(error, `Opening the catalog in ${directory}`);
    if (wrapped.code === 'NOT_FOUND') return;
    throw wrapped;
  }
  if (!names.includes('CURRENT') && names.some((name) => CONTENTS.test(name))) throw damagedDatabase(directory);
}

/** A PouchDB over LevelDB in a folder of its own, with the repairs that both need: see docs/decisions/0002. */
export class LevelDatabase implements AsyncDisposable {
  readonly directory: string;
  #opened: Promise<Opened>;
  readonly #damage: Damage;
  readonly #durable: DurableFlush;
  readonly #waiters = new Set<() => void>();
  #writes = 0;
  #closing: Promise<void> | undefined;

  private constructor(opened: Opened, damage: Damage, directory: string) {
    this.#opened = Promise.resolve(opened);
    this.#damage = damage;
    this.directory = directory;
    this.#durable = DurableFlush.ofLevelDb(directory);
  }

  /** @throws StorageError CONFLICT when another process has it open; CORRUPT when it is damaged */
  static async open(directory: string): Promise<LevelDatabase> {
    const damage = { count: 0 };
    try {
      return new LevelDatabase(await openLevel(directory, damage), damage, directory);
    } catch (error) {
      throw wrapLevelDb(error, 'Opening the catalog', directory);
    }
  }

  /** How many damaged values were met so far. */
  get damageCount(): number {
    return this.#damage.count;
  }

  /** `work` ends by itself soon, and calls nothing else of this database: it would wait for itself when that is closed. */
  read<T>(doing: string, work: (pouch: Pouch) => Promise<T>): Promise<T> {
    return this.#try(doing, ({ pouch }) => work(pouch));
  }

  /**
   * Writes, and waits for the disk. A failed write may have left half a record at the end of LevelDB's log, behind which
   * it goes on writing, and with which it drops all that follows when it reads the log again. So nothing more is written
   * there: the database is opened anew, which reads the log up to the tear and begins another.
   *
   * @param work as for `read`
   */
  write<T>(work: (pouch: Pouch) => Promise<T>): Promise<T> {
    return this.#change(({ pouch }) => work(pouch));
  }

  async #change<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    await this.#mend();
    const used = this.#opened;
    try {
      const result = await this.#try('Writing the catalog', async (opened) => {
        const result = await work(opened);
        await this.#durable.flush();
        // Another write failed meanwhile: this one may lie behind its tear, where nothing is read again.
        if (this.#opened !== used) throw new StorageError('UNAVAILABLE', 'A write before this one failed. Try again.');
        return result;
      });
      this.#wake();
      return result;
    } catch (error) {
      if (!isRefusal(error) && this.#opened === used && this.#closing === undefined) {
        this.#use(this.#openAnew(used));
      }
      throw error;
    }
  }

  /** What is read under each of these ids, deleted or not, without the texts. */
  winners(ids: readonly string[]): Promise<ReadonlyMap<string, Winner>> {
    return this.#try('Reading the catalog', ({ reader }) => reader.winners(ids));
  }

  /** The same with the texts, without what PouchDB does for each. */
  current(ids: readonly string[]): Promise<ReadonlyMap<string, Current>> {
    return this.#try('Reading the catalog', ({ reader }) => reader.current(ids));
  }

  /** Looks at up to `limit` sequences after `since`. */
  changes(since: number, limit: number): Promise<ChangePage> {
    return this.#try('Reading the changes of the catalog', ({ reader }) => reader.page(since, limit));
  }

  /** The revisions at the ends of a document's tree, deleted ones too; none for an unknown id. */
  leaves(id: string): Promise<readonly string[]> {
    return this.#try('Reading the catalog', ({ reader }) => reader.leaves(id));
  }

  /** Counts writes since this was opened: for `nextWrite`. */
  get writes(): number {
    return this.#writes;
  }

  /** Resolves when there were more writes than `seen`, or when the signal aborts or the database is closed. */
  async nextWrite(seen: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closing !== undefined || this.#writes > seen) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        stop();
        resolve();
      };
      const stop = onAbort(signal, done);
      this.#waiters.add(done);
    });
  }

  /** "sequence-epoch": a database that is made anew begins another count under another epoch. */
  async sequence(): Promise<string> {
    return this.#try('Reading the catalog', async ({ pouch, epoch }) => {
      const { update_seq: sequence } = await pouch.info();
      return `${String(sequence)}-${epoch}`;
    });
  }

  async formatSequence(sequence: number): Promise<string> {
    const { epoch } = await this.#opened;
    return `${String(sequence)}-${epoch}`;
  }

  /** @returns 0, from where everything is told, for a sequence of a database that is no more */
  async parseSequence(text: string): Promise<number> {
    const { epoch } = await this.#opened;
    const found = /^(\d{1,15})(?:-([0-9a-f]{8}))?$/.exec(text);
    if (!found) throw new StorageError('INVALID_ARGUMENT', `"${text.slice(0, 40)}" is not a sequence of changes.`);
    return found[2] === undefined || found[2] === epoch ? Number(found[1]) : 0;
  }

  /** Forgets the text of every revision that is no leaf, on the disk too: LevelDB keeps what is overwritten until it is merged. */
  async compact(): Promise<void> {
    for (let since = 0, isEnd = false; !isEnd;) {
      const page = await this.changes(since, CHANGES_PAGE);
      const old = page.changes.filter(({ hasHistory }) => hasHistory);
      for (let at = 0; at < old.length; at += COMPACTION_CONCURRENCY) {
        const group = old.slice(at, at + COMPACTION_CONCURRENCY);
        await this.write((pouch) => Promise.all(group.map(({ id }) => pouch.compactDocument(id, 0))));
      }
      ({ last: since, isEnd } = page);
    }
    await this.#change(({ level }) => mergeAll(level));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#wake();
    try {
      await closeLevel(await this.#opened);
    } catch (error) {
      throw wrapLevelDb(error, 'Closing the catalog', this.directory);
    }
  }

  #wake(): void {
    this.#writes++;
    for (const waiter of this.#waiters) waiter();
  }

  async #openAnew(failed: Promise<Opened>): Promise<Opened> {
    try {
      await closeLevel(await failed);
    } catch {
      // It failed already; whether it can be used again shows when it is opened.
    }
    return openLevel(this.directory, this.#damage);
  }

  #use(opened: Promise<Opened>): void {
    this.#opened = opened;
    // Who uses it next is told of a failure, if anybody does.
    opened.catch(() => undefined);
  }

  /** What could not be opened anew may open now, for readers too: a disk that was full has room again. */
  async #mend(): Promise<void> {
    const found = this.#opened;
    try {
      await found;
    } catch {
      if (this.#opened === found && this.#closing === undefined) this.#use(openLevel(this.directory, this.#damage));
    }
  }

  async #try<T>(doing: string, work: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      await this.#mend();
      const opened = await this.#opened;
      if (this.#closing !== undefined) throw new Error('database is closed');
      const running = work(opened);
      opened.running.add(running);
      try {
        return await running;
      } finally {
        opened.running.delete(running);
      }
    } catch (error) {
      throw wrapLevelDb(error, doing, this.directory);
    }
  }
}

/** What PouchDB refused before it wrote anything. */
function isRefusal(error: unknown): boolean {
  return StorageError.is(error, 'CONFLICT', 'INVALID_ARGUMENT', 'PERMISSION_DENIED', 'NOT_FOUND');
}

async function closeLevel({ pouch, reader, running }: Opened): Promise<void> {
  await Promise.allSettled(running);
  await reader.close();
  await pouch.close();
}

/** Every key of PouchDB begins with U+00FF, and lies between these two, which are none. */
const BEFORE_ALL = '\u0000';
const BEHIND_ALL = '\uffff';

/**
 * Has LevelDB merge everything, so that what was overwritten or deleted is gone from its files. Asked once, it merges each
 * level into the next, but never the last by itself, which is where it puts what it had in memory. So it is asked again with
 * something above that level that spans all keys: the deletion of two that were never there.
 */
async function mergeAll(level: LevelDown): Promise<void> {
  const wait = (work: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => work((error) => (error instanceof Error ? reject(error) : resolve())));
  await wait((done) => level.compactRange(BEFORE_ALL, BEHIND_ALL, done));
  const keys = [BEFORE_ALL, BEHIND_ALL];
  await wait((done) =>
    level.batch(
      keys.map((key) => ({ type: 'del', key })),
      done,
    ),
  );
  await wait((done) => level.compactRange(BEFORE_ALL, BEHIND_ALL, done));
}
