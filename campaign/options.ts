import { parseArgs } from 'node:util';
import { randomInt } from 'node:crypto';
import { StorageError } from '../src/errors.js';

export interface CampaignOptions {
  /** Of load and faults; healing and checking come after it. */
  readonly minutes: number;
  readonly seed: number;
  /** Of faults, at most. */
  readonly rounds: number;
  /** Of peers without which files are read in the end, at most. */
  readonly pairs: number;
  /** In the end, more is destroyed than the policy tolerates. */
  readonly beyond: boolean;
  readonly json: boolean;
}

export const CAMPAIGN_HELP = `npm run campaign -- [options]

Eight peers in processes of their own, files put, fetched, moved and deleted through two of them, and faults all the while.
Every write that was acknowledged is remembered and compared, on the way and in the end. Ends with 1 when one was lost.

  --minutes N   of load and faults: 2 (default), 0.5, 30, …; healing and the last comparison come after them
  --seed S      of faults and load, a whole number; drawn and told unless given
  --rounds N    end after so many rounds of faults, also before the time is over
  --pairs N     in the end, read without so many pairs of peers at most, of all 28
  --beyond      in the end, destroy the disks of one peer more than may be lost: that must fail loudly
  --json        print the result as JSON; the table goes to standard error then
  --help        this

Temporary files lie in $TMPDIR, less than 3 GiB. Ctrl-C ends all of it and removes everything.
`;

/** A night. */
const MAX_MINUTES = 720;
const MAX_SEED = 2 ** 32 - 1;
const MAX_ROUNDS = 100_000;
const ALL_PAIRS = 28;

/** @returns undefined when only help was asked for @throws StorageError INVALID_ARGUMENT */
export function parseCampaignOptions(words: readonly string[]): CampaignOptions | undefined {
  const values = parseWords(words);
  if (values.help === true) return undefined;
  const minutes = /^\d+(\.\d+)?$/.test(values.minutes ?? '2') ? Number(values.minutes ?? '2') : 0;
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) throw refused(`--minutes takes a number up to ${String(MAX_MINUTES)}.`);
  return {
    minutes,
    seed: wholeNumber('--seed', values.seed ?? String(randomInt(MAX_SEED)), MAX_SEED),
    rounds: wholeNumber('--rounds', values.rounds ?? String(MAX_ROUNDS), MAX_ROUNDS),
    pairs: wholeNumber('--pairs', values.pairs ?? String(ALL_PAIRS), ALL_PAIRS),
    beyond: values.beyond === true,
    json: values.json === true,
  };
}

interface Values {
  readonly minutes?: string;
  readonly seed?: string;
  readonly rounds?: string;
  readonly pairs?: string;
  readonly beyond?: boolean;
  readonly json?: boolean;
  readonly help?: boolean;
}

function parseWords(words: readonly string[]): Values {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean' }] as const;
  try {
    const numbers = { minutes: text, seed: text, rounds: text, pairs: text } as const;
    const options = { ...numbers, beyond: flag, json: flag, help: { ...flag, short: 'h' } } as const;
    return parseArgs({ args: [...words], options }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StorageError('INVALID_ARGUMENT', `${message} See npm run campaign -- --help.`, { cause: error });
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : -1;
  if (value >= 0 && value <= most) return value;
  throw refused(`${option} takes a whole number up to ${String(most)}.`);
}

function refused(message: string): StorageError {
  return new StorageError('INVALID_ARGUMENT', message);
}
