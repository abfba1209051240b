import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { StorageError, wrapError } from './errors.js';
import { HOST_AND_PORT as ADDRESS } from './front/address.js';
import { DEFAULT_RESERVE_BYTES, DRAIN_MS } from './limits.js';
import { SERVICES, type Service } from './services/service-names.js';

export { SERVICES, type Service };

/** A peer's settings, checked and frozen. Secrets are not among them: keys lie in files of the home. */
export interface Config {
  /** The peer's folder: identity, chunks, documents, sockets. */
  readonly home: string;
  readonly listen: string;
  /** Where other peers reach this one, when that is not where it listens; published at start. */
  readonly address: string | undefined;
  /** Where the web UI and the HTTP API listen, HOST:PORT; `off`: nowhere. */
  readonly web: string;
  /** Names by which browsers reach it, beside those of this machine itself. */
  readonly webHosts: readonly string[];
  /** Where SFTP clients come in, HOST:PORT; `off`: nowhere. */
  readonly sftp: string;
  readonly reserveBytes: number;
  readonly capacityBytes: number | undefined;
  /** Within so many days a scrub reads every chunk once. */
  readonly scrubDays: number;
  /** What scrubs read and move in a second, at most; 0: none in the background. */
  readonly scrubMegabytes: number;
  readonly workers: number;
  readonly stripesPerWorker: number;
  /** Services that processes of their own run: `shoal serve pouchdb` and so on. */
  readonly separate: readonly Service[];
  /** For transfers in progress, when the peer is told to stop. */
  readonly drainSeconds: number;
  /** Silence after which a peer counts as gone. */
  readonly graceHours: number;
  /** Audits of other peers in the background; 0: none. */
  readonly auditsPerHour: number;
  /** What repairs move in a second, in megabytes; 0: none are begun here. */
  readonly repairMegabytes: number;
  /** A backup host's CouchDB; absent: the embedded one. */
  readonly couch: { readonly url: URL; readonly credentialsFile: string; readonly secretFile: string } | undefined;
  readonly log: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Most threads that move stripes where nobody says otherwise: more make no difference on a disk or network of today. */
const MAX_DEFAULT_WORKERS = 4;
const TIB = 2 ** 40;

/** A core is left to the main thread, which serves other peers. Each worker costs some 40 MiB besides its stripes. */
function defaultWorkers(): number {
  return Math.max(1, Math.min(availableParallelism() - 1, MAX_DEFAULT_WORKERS));
}

export interface Option {
  readonly name: Exclude<keyof Config, 'home'>;
  readonly variable: string;
  readonly schema: z.ZodType<Config[Exclude<keyof Config, 'home'>]>;
  readonly fallback: () => Config[Exclude<keyof Config, 'home'>];
  readonly about: string;
}

/** Digits only: an empty variable must not become 0, as Number would have it. */
const wholeNumber = (least: number, most: number): z.ZodType<number> =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
    z.number().int().min(least).max(most),
  );

/** A decimal number, without exponent. */
const decimal = (least: number, most: number): z.ZodType<number> =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
    z.number().min(least).max(most),
  );

const HOST_AND_PORT = z.string().regex(ADDRESS, 'must be HOST:PORT');

const COUCH = z.preprocess(
  (value) => (typeof value === 'string' ? parseJson(value, 'SHOAL_COUCH') : value),
  z
    .object({
      url: z.url({ protocol: /^https?$/ }).transform((text) => new URL(text)),
      credentialsFile: z.string().min(1),
      secretFile: z.string().min(1),
    })
    .strict(),
);

/** The one table: name in `config.json`, environment variable, check, default, explanation (docs/configuration.md). */
export const OPTIONS: readonly Option[] = [
  {
    name: 'listen',
    variable: 'SHOAL_LISTEN',
    schema: HOST_AND_PORT,
    fallback: () => '127.0.0.1:8485',
    about: 'Where this peer listens, HOST:PORT; also `--listen`',
  },
  {
    name: 'address',
    variable: 'SHOAL_ADDRESS',
    schema: HOST_AND_PORT.optional(),
    fallback: () => undefined,
    about:
      'Where other peers reach this one, HOST:PORT, when that is not where it listens: published when the peer starts. Default: what was published last',
  },
  {
    name: 'web',
    variable: 'SHOAL_WEB',
    schema: z.union([z.literal('off'), HOST_AND_PORT], 'must be HOST:PORT or off'),
    fallback: () => '127.0.0.1:8484',
    about:
      'Where the web UI and the HTTP API listen, HOST:PORT, or `off`; an address of other machines needs `webHosts`',
  },
  {
    name: 'webHosts',
    variable: 'SHOAL_WEB_HOSTS',
    schema: z.preprocess(
      (value) => (typeof value === 'string' ? (value === '' ? [] : value.split(',')) : value),
      z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/, 'must be names in small letters, by commas, without ports')),
    ),
    fallback: () => [],
    about: 'Names by which browsers reach the web UI through a proxy that speaks TLS, by commas; see docs/http-api.md',
  },
  {
    name: 'sftp',
    variable: 'SHOAL_SFTP',
    schema: z.union([z.literal('off'), HOST_AND_PORT], 'must be HOST:PORT or off'),
    fallback: () => '127.0.0.1:2022',
    about: 'Where the peer serves SFTP, HOST:PORT, or `off`; see docs/sftp.md',
  },
  {
    name: 'reserveBytes',
    variable: 'SHOAL_RESERVE_BYTES',
    schema: wholeNumber(0, 1024 * TIB),
    fallback: () => DEFAULT_RESERVE_BYTES,
    about: 'Free disk that chunks never use up, in bytes',
  },
  {
    name: 'capacityBytes',
    variable: 'SHOAL_CAPACITY_BYTES',
    schema: wholeNumber(1, 1024 * TIB).optional(),
    fallback: () => undefined,
    about: 'Bytes of chunks that this peer stores at most; default: what the disk has',
  },
  {
    name: 'scrubDays',
    variable: 'SHOAL_SCRUB_DAYS',
    schema: wholeNumber(1, 3650),
    fallback: () => 30,
    about: 'Every chunk on this disk is read once in so many days, and mended where it has rotted; see docs/healing.md',
  },
  {
    name: 'scrubMegabytes',
    variable: 'SHOAL_SCRUB_MEGABYTES',
    schema: wholeNumber(0, 1_000_000),
    fallback: () => 16,
    about: 'What that reads in a second at most, in MB; 0: nothing, unless `shoal scrub --now` asks for it',
  },
  {
    name: 'workers',
    variable: 'SHOAL_WORKERS',
    schema: wholeNumber(0, 64),
    fallback: defaultWorkers,
    about:
      'Threads that seal, code and move stripes; 0 = the main thread does. Default: one for each core but one, 4 at most',
  },
  {
    name: 'stripesPerWorker',
    variable: 'SHOAL_STRIPES_PER_WORKER',
    schema: wholeNumber(1, 8),
    // One worker alone reads and codes the next stripe while the one before is on its way.
    fallback: () => (defaultWorkers() === 1 ? 2 : 1),
    about: 'Stripes in the memory of each worker, up to 48 MiB each; default: 1, and 2 where one worker is the default',
  },
  {
    name: 'separate',
    variable: 'SHOAL_SEPARATE',
    schema: z.preprocess(
      // An empty list is one: it names no service.
      (value) => (typeof value === 'string' ? (value === '' ? [] : value.split(',')) : value),
      z.array(z.enum(SERVICES)),
    ),
    fallback: () => [],
    about:
      'Services that processes of their own run, by commas: pouchdb, couchdb, db-service, file-receiver, file-sender, front, gateway; see `shoal serve --help`',
  },
  {
    name: 'drainSeconds',
    variable: 'SHOAL_DRAIN_SECONDS',
    schema: wholeNumber(0, 24 * 3600),
    fallback: () => DRAIN_MS / 1000,
    about: 'Time that transfers in progress get to end after SIGTERM, in seconds; then they are given back',
  },
  {
    name: 'graceHours',
    variable: 'SHOAL_GRACE_HOURS',
    schema: decimal(0, 24 * 365),
    fallback: () => 24,
    about:
      'A peer that was silent for so many hours is gone, and its chunks are rebuilt on others; only time counts in which this peer ran and reached another',
  },
  {
    name: 'auditsPerHour',
    variable: 'SHOAL_AUDITS_PER_HOUR',
    schema: wholeNumber(0, 3600),
    fallback: () => 60,
    about: 'Segments of chunks elsewhere that this peer asks for and checks, in an hour; 0 = none',
  },
  {
    name: 'repairMegabytes',
    variable: 'SHOAL_REPAIR_MEGABYTES',
    schema: decimal(0, 100_000),
    fallback: () => 32,
    about:
      'Megabytes that repairs which this peer begins move in a second, over the network together; 0 = it begins none',
  },
  {
    name: 'couch',
    variable: 'SHOAL_COUCH',
    schema: COUCH.optional(),
    fallback: () => undefined,
    about:
      'Of a backup host: an Apache CouchDB instead of the embedded one, as JSON: `{"url": "http://…", "credentialsFile": PATH, "secretFile": PATH}`',
  },
  {
    name: 'log',
    variable: 'SHOAL_LOG',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    fallback: () => 'info',
    about: 'Least severe level that is logged: debug, info, warn, error or silent',
  },
];

/** Variables that others read: the home itself, by the CLI. */
const OTHER_VARIABLES = new Set(['SHOAL_HOME']);

/**
 * Flags before environment before `config.json` in the home before defaults.
 *
 * @throws StorageError INVALID_ARGUMENT for a value that does not fit, or a SHOAL_ variable that nobody knows
 */
export function readConfig(
  flags: { readonly home: string; readonly listen?: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const home = resolve(flags.home);
  const known = new Set(OPTIONS.map(({ variable }) => variable));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('SHOAL_') && !known.has(name) && !OTHER_VARIABLES.has(name)) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `The environment sets ${name}, which is no setting of Shoal. Known: ${[...known].join(', ')}.`,
      );
    }
  }
  const file = readFile(join(home, 'config.json'));
  const values: Record<string, unknown> = { home };
  const sources = new Map<Option['name'], SettingSource>();
  for (const option of OPTIONS) {
    const { name, variable } = option;
    const set = (name === 'listen' ? flags.listen : undefined) ?? environment[variable];
    values[name] = checkSetting(option, set ?? file[name]);
    sources.set(name, set !== undefined ? 'environment' : file[name] === undefined ? 'default' : 'file');
  }
  const config = Object.freeze(values as unknown as Config);
  SOURCES.set(config, sources);
  return config;
}

/** Where a value comes from; `environment` stands for flags, too. */
export type SettingSource = 'default' | 'file' | 'environment';

const SOURCES = new WeakMap<Config, ReadonlyMap<Option['name'], SettingSource>>();

/** Where the value of a setting that is in force came from. */
export function sourceOf(config: Config, name: Option['name']): SettingSource {
  return SOURCES.get(config)?.get(name) ?? 'default';
}

/** What the file of a home says, as it is now: each setting that it has, not checked. */
export function readSettings(home: string): Readonly<Record<string, unknown>> {
  return readFile(join(home, 'config.json'));
}

/** @param given undefined: its default @throws StorageError INVALID_ARGUMENT that names it */
export function checkSetting({ name, variable, schema, fallback }: Option, given: unknown): Config[Option['name']] {
  const checked = schema.safeParse(given ?? fallback());
  if (checked.success) return checked.data;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `The setting ${name} (${variable}) ${checked.error.issues[0]?.message ?? 'is wrong'}: ${String(given)}`,
  );
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const wrapped = wrapError(error, `Reading ${path}`);
    if (wrapped.code === 'NOT_FOUND') return {};
    throw wrapped;
  }
  const checked = z.record(z.string(), z.unknown()).safeParse(parseJson(text, path));
  const names = new Set<string>(OPTIONS.map(({ name }) => name));
  const unknown = checked.success ? Object.keys(checked.data).find((name) => !names.has(name)) : undefined;
  if (!checked.success || unknown !== undefined) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `${path} must hold an object of settings${unknown === undefined ? '' : `; "${unknown}" is none`}.`,
    );
  }
  return checked.data;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StorageError('INVALID_ARGUMENT', `${path} is not JSON.`, { cause: error });
  }
}
