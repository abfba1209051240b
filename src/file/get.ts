import { open } from 'node:fs/promises';
import type { Manifest, Session } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import { StorageError, wrapError } from '../errors.js';
import { DIRECT_OUTPUT_BYTES } from '../limits.js';
import { countedGet } from './counted.js';
import type { ReadEngine } from './engine.js';
import { fetchStripe } from './fetch.js';
import { Slots } from './slots.js';
import type { ExtentRead } from './worker/protocol.js';

export interface GetFile {
  readonly manifest: Manifest;
  /** The local file that its bytes go to. */
  readonly output: string;
}

export interface GetEvents {
  readonly onProgress?: (bytes: number) => void;
  /** File `index` is whole. */
  readonly onFetched: (index: number) => void;
  readonly onFailed: (index: number, error: StorageError) => void;
}

interface Wanted {
  readonly file: number;
  readonly read: ExtentRead;
}

/**
 * Fetches whole files into local ones. What lies in one stripe is fetched together, so thousands of small files that were
 * put together cost a few requests. Tells of every file exactly once.
 *
 * @throws `signal.reason` on abort
 */
export async function getFiles(
  engine: ReadEngine,
  session: Session,
  files: readonly GetFile[],
  options: GetEvents & { readonly signal: AbortSignal },
): Promise<void> {
  const get = new Get(engine, session, files, countedGet(options, engine.telemetry));
  await get.run();
}

class Get {
  readonly #engine: ReadEngine;
  readonly #session: Session;
  readonly #files: readonly GetFile[];
  readonly #options: GetEvents & { readonly signal: AbortSignal };
  /** Extents of each file that are still to come; undefined once the file was told of. */
  readonly #left: (number | undefined)[];

  constructor(
    engine: ReadEngine,
    session: Session,
    files: readonly GetFile[],
    options: GetEvents & { readonly signal: AbortSignal },
  ) {
    this.#engine = engine;
    this.#session = session;
    this.#files = files;
    this.#options = options;
    this.#left = files.map(({ manifest }) => manifest.extents.length);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const slots = new Slots(() => this.#engine.pool.turns.take('get', this, signal));
    try {
      await this.#makeEmpty();
      for (const [stripe, wanted] of this.#byStripe()) {
        signal.throwIfAborted();
        await slots.run(() => this.#fetch(stripe, wanted));
      }
    } finally {
      await slots.idle();
    }
    signal.throwIfAborted();
  }

  #byStripe(): Map<StripeId, Wanted[]> {
    const stripes = new Map<StripeId, Wanted[]>();
    for (const [file, { manifest, output }] of this.#files.entries()) {
      let position = 0;
      const direct = manifest.bytes >= DIRECT_OUTPUT_BYTES;
      for (const extent of manifest.extents) {
        const place = { file: output, position, direct };
        const wanted = { file, read: { extent, from: 0, to: extent.bytes, output: place } };
        const others = stripes.get(extent.stripe);
        if (others === undefined) stripes.set(extent.stripe, [wanted]);
        else others.push(wanted);
        position += extent.bytes;
      }
    }
    return stripes;
  }

  /** Files without extents: there is nothing to fetch. */
  async #makeEmpty(): Promise<void> {
    for (const [file, { manifest, output }] of this.#files.entries()) {
      if (manifest.extents.length > 0) continue;
      try {
        await (await open(output, 'wx', 0o600)).close();
        this.#arrived(file, 0);
      } catch (error) {
        this.#fail(file, wrapError(error, `Writing ${output}`));
      }
    }
  }

  /** Never rejects: what goes wrong is told of each file. What a file that failed would need beside is not fetched. */
  async #fetch(stripe: StripeId, all: readonly Wanted[]): Promise<void> {
    const wanted = all.filter(({ file }) => this.#left[file] !== undefined);
    if (wanted.length === 0) return;
    try {
      const reads = wanted.map(({ read }) => read);
      const outcomes = await fetchStripe(this.#engine, this.#session, { stripe, reads, ...this.#options });
      for (const [index, { file }] of wanted.entries()) {
        const outcome = outcomes[index];
        if (outcome instanceof StorageError) this.#fail(file, outcome);
        else this.#arrived(file, 1);
      }
    } catch (error) {
      for (const { file } of wanted) this.#fail(file, wrapError(error, 'Fetching a file'));
    }
  }

  #arrived(file: number, extents: number): void {
    const left = this.#left[file];
    if (left === undefined) return;
    this.#left[file] = left === extents ? undefined : left - extents;
    if (left === extents) this.#options.onFetched(file);
  }

  #fail(file: number, error: StorageError): void {
    if (this.#left[file] === undefined || this.#options.signal.aborted) return;
    this.#left[file] = undefined;
    this.#options.onFailed(file, error);
  }
}
