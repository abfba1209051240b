import { parseArgs, type ParseArgsConfig } from 'node:util';
import { StorageError } from '../src/errors.js';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** Reads the words after `npm run NAME --`. @throws StorageError INVALID_ARGUMENT */
export function parseWords<const T extends Options>(program: string, words: readonly string[], options: T): Values<T> {
  try {
    return parseArgs({ args: [...words], options }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw refused(`${message} See npm run ${program} -- --help.`, error);
  }
}

/** @throws StorageError INVALID_ARGUMENT */
export function wholeNumber(
  option: string,
  value: string | number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const number = typeof value === 'number' || /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  throw refused(`${option} takes a whole number from ${String(least)} to ${String(most)}.`);
}

/** "put,get". @throws StorageError INVALID_ARGUMENT */
export function someOf<T extends string>(option: string, text: string, all: readonly T[]): ReadonlySet<T> {
  const chosen = new Set<T>();
  for (const word of text.split(',')) {
    const found = all.find((name) => name === word.trim());
    if (found === undefined) throw refused(`${option} takes some of ${all.join(',')}, not "${word}".`);
    chosen.add(found);
  }
  return chosen;
}

export function refused(message: string, cause?: unknown): StorageError {
  return new StorageError('INVALID_ARGUMENT', message, { cause });
}
