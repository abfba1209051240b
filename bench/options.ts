import { resolve } from 'node:path';
import { parseByteCount } from './byte-count.js';
import { parseWords, someOf, wholeNumber } from './words.js';

/** In the order in which they run. `degraded` comes last on the devnet, because it kills two of its peers. */
export const PARTS = [
  'floor',
  'put',
  'get',
  'range',
  'small',
  'http',
  'sftp',
  'repair',
  'scrub',
  'degraded',
  'catalog',
  'restic',
  'scp',
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  /** Length of the big file. */
  readonly bytes: number;
  /** Number of small files. */
  readonly files: number;
  /** Of the catalog that is measured. */
  readonly entries: number;
  /** Of its entries, those that are written one by one: each is a document to be synced. */
  readonly documents: number;
  readonly parts: ReadonlySet<Part>;
  /** Absolute, or "-" for standard output. */
  readonly json?: string;
  readonly markdown?: string;
  /** Where CPU profiles go. */
  readonly profile?: string;
}

export const BENCH_HELP = `npm run bench -- [options]

Measures six local peers, 4+2, on this machine, beside the floor of the machine and other programs that do the same.

  --bytes SIZE     length of the big file: 1GiB (default), 64MiB, 500MB, …
  --files N        number of 4 KiB files: 5000 (default)
  --entries N      entries of the measured catalog: 100000 (default)
  --documents N    documents of it that are synced: 20000 (default)
  --only PARTS     some of ${PARTS.join(',')}
  --json FILE      write the figures as JSON; - for standard output (the tables go to standard error then)
  --markdown FILE  write the tables between the two bench comments of this Markdown file
  --profile DIR    write CPU profiles of the source peer and of one target; the figures are slower then
  --help           this

Temporary files lie in $TMPDIR: choose the disk to be measured by it. It needs about 3.8 times SIZE,
and 1.6 GB at most for repair and scrub.
`;

/** More would take hours and hundreds of gigabytes, for no more to learn. */
const MAX_BYTES = 64 * 2 ** 30;
const MIN_BYTES = 2 ** 20;
const MAX_FILES = 1_000_000;
/** Fewer say nothing; a million take a quarter of an hour. */
const MIN_ENTRIES = 100;
const MAX_ENTRIES = 1_000_000;
const MOST_DOCUMENTS = { least: 10, most: MAX_ENTRIES };
/** Half a minute to a backup host and back. */
const DEFAULT_DOCUMENTS = 20_000;

const text = { type: 'string' } as const;
const OPTIONS = {
  ...{ bytes: text, files: text, entries: text, documents: text, only: text },
  ...{ json: text, markdown: text, profile: text },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @returns undefined when only help was asked for @throws StorageError INVALID_ARGUMENT */
export function parseBenchOptions(words: readonly string[]): BenchOptions | undefined {
  const values = parseWords('bench', words, OPTIONS);
  if (values.help === true) return undefined;
  return {
    bytes: wholeNumber('--bytes', parseByteCount(values.bytes ?? '1GiB'), { least: MIN_BYTES, most: MAX_BYTES }),
    files: wholeNumber('--files', values.files ?? '5000', { least: 1, most: MAX_FILES }),
    entries: wholeNumber('--entries', values.entries ?? '100000', { least: MIN_ENTRIES, most: MAX_ENTRIES }),
    documents: wholeNumber('--documents', values.documents ?? String(DEFAULT_DOCUMENTS), MOST_DOCUMENTS),
    parts: values.only === undefined ? new Set(PARTS) : someOf('--only', values.only, PARTS),
    ...(values.json === undefined ? {} : { json: values.json === '-' ? '-' : resolve(values.json) }),
    ...(values.markdown === undefined ? {} : { markdown: resolve(values.markdown) }),
    ...(values.profile === undefined ? {} : { profile: resolve(values.profile) }),
  };
}
