import type { Session, StripeRecord } from '../../catalog/catalog.js';
import type { FileId, StripeId } from '../../chunk/ids.js';
import { type StorageError, wrapError } from '../../errors.js';
import { RECOVERED_PER_COMMIT } from '../../limits.js';
import type { Engine } from '../engine.js';
import type { FoundVersion } from './version-drafts.js';

/** Where files go whose own place is taken by something that is no file, or lies in one. */
export const RECOVERED_FOLDER = '/recovered';

export interface BringBackOptions {
  readonly signal: AbortSignal;
  /** Of every stripe that was read. */
  readonly records: ReadonlyMap<StripeId, StripeRecord>;
  /** It is visible and would survive a power cut; at `path`, which may be another than it was stored at. */
  readonly onRecovered: (found: FoundVersion, path: string) => void;
  readonly onFailed: (found: FoundVersion, error: StorageError) => void;
}

/** A file's versions go where the newest of them was stored: the file was moved there. */
export function pathsOf(oldestFirst: readonly FoundVersion[]): Map<FileId, string> {
  return new Map(oldestFirst.map(({ manifest, path }) => [manifest.file, path]));
}

/** Those that the catalog has never had. */
export async function unknownOf(
  engine: Engine,
  session: Session,
  found: readonly FoundVersion[],
): Promise<FoundVersion[]> {
  const ids = found.map(({ manifest }) => manifest.version);
  const known = await engine.catalog.knownVersions(session, ids);
  return found.filter(({ manifest }) => !known.has(manifest.version));
}

/** Commits found versions, in groups; what was committed before a crash is not found unknown again. */
export class BringBack {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #options: BringBackOptions;
  /** Stripes that the catalog knows. */
  readonly #stripes = new Set<StripeId>();

  constructor(engine: Engine, session: Session, options: BringBackOptions) {
    this.#engine = engine;
    this.#session = session;
    this.#options = options;
  }

  /**
   * @param unknown the oldest first: the catalog takes the last that comes for the newest
   * @param paths where each file goes
   * @throws StorageError when the catalog fails, as opposed to refusing a file; `signal.reason` on abort
   */
  async run(unknown: readonly FoundVersion[], paths: ReadonlyMap<FileId, string>): Promise<void> {
    for (let at = 0; at < unknown.length; at += RECOVERED_PER_COMMIT) {
      this.#options.signal.throwIfAborted();
      const group = unknown.slice(at, at + RECOVERED_PER_COMMIT).map((found) => ({
        found,
        path: paths.get(found.manifest.file) ?? found.path,
      }));
      await this.#commit(group);
    }
  }

  async #commit(group: readonly Placed[]): Promise<void> {
    if (group.length === 0) return;
    try {
      await this.#putStripes(group);
      const news = group.map(({ found: { manifest, createdMs }, path }) => ({
        ...{ path, manifest, createdMs, behindLater: true },
      }));
      await this.#engine.catalog.commit(this.#session, news);
      for (const { found, path } of group) this.#options.onRecovered(found, path);
    } catch (error) {
      const refused = wrapError(error, 'Bringing files back');
      if (!REFUSALS.has(refused.code)) throw refused;
      const [only] = group;
      if (only !== undefined && group.length === 1) await this.#place(only, refused);
      else await this.#halve(group);
    }
  }

  /** One name that is refused must not fail its neighbours. */
  async #halve(group: readonly Placed[]): Promise<void> {
    const middle = Math.ceil(group.length / 2);
    await this.#commit(group.slice(0, middle));
    await this.#commit(group.slice(middle));
  }

  async #place({ found, path }: Placed, refused: StorageError): Promise<void> {
    const elsewhere = refused.code === 'CONFLICT' && !path.startsWith(`${RECOVERED_FOLDER}/`);
    if (elsewhere) await this.#commit([{ found, path: RECOVERED_FOLDER + path }]);
    else this.#options.onFailed(found, refused);
  }

  async #putStripes(group: readonly Placed[]): Promise<void> {
    const needed = new Set(group.flatMap(({ found }) => found.manifest.extents.map(({ stripe }) => stripe)));
    const asked = [...needed].filter((stripe) => !this.#stripes.has(stripe));
    const known = await this.#engine.catalog.stripes(asked);
    const records = asked
      .filter((_, index) => known[index] === undefined)
      .map((stripe) => this.#options.records.get(stripe))
      .filter((record) => record !== undefined);
    if (records.length > 0) await this.#engine.catalog.putStripes(records);
    // The databases may have been lost while deletes of what comes back now were waiting.
    if (asked.length > 0) await this.#engine.outbox.recall(asked);
    for (const stripe of asked) this.#stripes.add(stripe);
  }
}

interface Placed {
  readonly found: FoundVersion;
  readonly path: string;
}

/** Codes with which a catalog refuses a commit for what is in it, before it writes anything. */
const REFUSALS: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'ALREADY_EXISTS', 'CONFLICT', 'LIMIT_EXCEEDED']);
