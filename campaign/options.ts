import { randomInt } from 'node:crypto';
import { parseWords, refused, someOf, wholeNumber } from '../bench/words.js';
import { FAULT_KINDS, type FaultKind } from './nemesis/fault.js';

export interface CampaignOptions {
  /** Of load and faults; healing and checking come after it. */
  readonly minutes: number;
  readonly seed: number;
  /** Of faults, at most. */
  readonly rounds: number;
  readonly faults: ReadonlySet<FaultKind>;
  /** Of peers without which files are read in the end, at most. */
  readonly pairs: number;
  /** In the end, more is destroyed than the policy tolerates. */
  readonly beyond: boolean;
  readonly json: boolean;
}

/** Lines of words, as wide as the text around them. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length > 80) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line},${word}`;
  }
  return lines.join(',\n                ');
}

export const CAMPAIGN_HELP = `npm run campaign -- [options]

Eight peers in processes of their own, files put, fetched, moved and deleted through two of them, and faults all the while.
Every write that was acknowledged is remembered and compared, on the way and in the end. Ends with 1 when one was lost.

  --minutes N   of load and faults: 2 (default), 0.5, 30, …; healing and the last comparison come after them
  --seed S      of faults and load, a whole number; drawn and told unless given
  --faults K,…  only some of ${wrapped(FAULT_KINDS)}
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

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  ...{ minutes: text, seed: text, faults: text, rounds: text, pairs: text },
  ...{ beyond: flag, json: flag, help: { ...flag, short: 'h' } },
} as const;

/** @returns undefined when only help was asked for @throws StorageError INVALID_ARGUMENT */
export function parseCampaignOptions(words: readonly string[]): CampaignOptions | undefined {
  const values = parseWords('campaign', words, OPTIONS);
  if (values.help === true) return undefined;
  const minutes = /^\d+(\.\d+)?$/.test(values.minutes ?? '2') ? Number(values.minutes ?? '2') : 0;
  if (!(minutes > 0 && minutes <= MAX_MINUTES)) throw refused(`--minutes takes a number up to ${String(MAX_MINUTES)}.`);
  return {
    minutes,
    seed: wholeNumber('--seed', values.seed ?? randomInt(MAX_SEED), { least: 0, most: MAX_SEED }),
    faults: values.faults === undefined ? new Set(FAULT_KINDS) : someOf('--faults', values.faults, FAULT_KINDS),
    rounds: wholeNumber('--rounds', values.rounds ?? MAX_ROUNDS, { least: 0, most: MAX_ROUNDS }),
    pairs: wholeNumber('--pairs', values.pairs ?? ALL_PAIRS, { least: 0, most: ALL_PAIRS }),
    beyond: values.beyond === true,
    json: values.json === true,
  };
}
