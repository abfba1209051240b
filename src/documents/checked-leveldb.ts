import { createRequire } from 'node:module';

/** What is used of abstract-leveldown, whose underscored methods are its interface for implementations. */
type ReadCallback = (error: Error | null | undefined, value?: unknown) => void;
type NextCallback = (error: Error | null | undefined, key?: unknown, value?: unknown) => void;

interface LevelIterator {
  _next(callback: NextCallback): unknown;
  next(callback: NextCallback): unknown;
  end(callback: (error?: Error | null) => void): void;
}

export interface LevelDown {
  _get(key: unknown, options: unknown, callback: ReadCallback): unknown;
  _iterator(options: unknown): LevelIterator;
  get(key: string, options: { asBuffer: false }, callback: ReadCallback): unknown;
  iterator(options: Readonly<Record<string, unknown>>): LevelIterator;
  batch(operations: readonly { type: 'del'; key: string }[], callback: (error?: Error | null) => void): void;
  compactRange(start: string, end: string, callback: (error?: Error | null) => void): void;
}

// Without published types, like the rest of that family.
const require = createRequire(import.meta.url);
const leveldown = require('leveldown') as (location: string) => LevelDown;

/** How many values a database could not read, or held that PouchDB never wrote. */
export interface Damage {
  count: number;
}

/** Values are JSON but for attachments, of which the catalog has none. */
function isWhole(value: unknown): boolean {
  try {
    JSON.parse(String(value));
    return true;
  } catch {
    return false;
  }
}

function isNotFound(error: Error): boolean {
  return /notfound/i.test(error.message);
}

/**
 * LevelDB for PouchDB, with eyes for bit rot: leveldown does not verify checksums on reads, PouchDB takes every failed
 * read for a missing value, and JSON that does not parse ends the process, for it is parsed in a callback of native code.
 * So values are tried here first; one that is damaged is counted, and is missing from then on.
 *
 * @param made is given LevelDB itself, which PouchDB does not hand out
 */
export function checkedLevelDown(damage: Damage, made: (database: LevelDown) => void): (location: string) => LevelDown {
  return function checked(location) {
    const database = leveldown(location);
    made(database);
    const get = database._get.bind(database);
    const iterator = database._iterator.bind(database);
    database._get = (key, options, callback) =>
      get(key, options, (error, value) => {
        if (error instanceof Error && !isNotFound(error)) damage.count++;
        if (error instanceof Error || isWhole(value)) {
          callback(error, value);
          return;
        }
        damage.count++;
        callback(new Error('NotFound: the value is damaged'));
      });
    database._iterator = (options) => skipDamaged(iterator(options), damage);
    return database;
  };
}

function skipDamaged(iterator: LevelIterator, damage: Damage): LevelIterator {
  const next = iterator._next.bind(iterator);
  const step = (callback: NextCallback): unknown =>
    next((error, key, value) => {
      if (error instanceof Error || key === undefined || isWhole(value)) {
        callback(error, key, value);
        return;
      }
      damage.count++;
      step(callback);
    });
  iterator._next = step;
  return iterator;
}
