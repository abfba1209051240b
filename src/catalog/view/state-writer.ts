import { randomBytes } from 'node:crypto';
import { toHex } from '../../bytes.js';
import { SHORT_ID_BYTES } from '../../chunk/ids.js';
import { STATE_PAGE } from '../../limits.js';
import type { Document } from '../../documents/document-database.js';
import { hashOf } from './document-id.js';
import { type DumpPart, encodeState } from './state.js';
import { coverageParts, type MapVersion, nodeParts, type PartContent } from './state-parts.js';
import type { UserDocuments } from './user-documents.js';
import type { View } from './view.js';

export interface StateProgress {
  /** Nodes of the catalog: files and folders, and what is left of removed ones. */
  readonly done: number;
  readonly all: number;
}

export interface WriteStateOptions {
  /** The dump begins a generation, in a database of its own. */
  readonly base: boolean;
  readonly signal: AbortSignal;
  /** Awaited after each write, which is how the job is throttled. */
  readonly onProgress?: (progress: StateProgress) => void | Promise<void>;
  readonly mapVersion?: MapVersion;
  /** For each part, once it is durable. */
  readonly onPart?: (part: DumpPart, hash: string) => void;
}

/** A dump that was begun: where it goes on. */
interface Begun {
  readonly dump: string;
  readonly counter: number;
  readonly parts: number;
  /** All nodes up to this one are written. */
  readonly through: string;
}

interface Written extends Begun {
  readonly isWhole: boolean;
  /** Short hashes of the documents that it stands for. */
  readonly covered: readonly string[];
}

interface Found {
  readonly counter: number;
  readonly parts: Set<number>;
  readonly covered: string[];
  through: string;
  isWhole: boolean;
}

/** The dumps of this peer as far as they got; one in which a part does not follow on the one before cannot go on. */
async function ownDumps(target: UserDocuments, base: boolean): Promise<Written[]> {
  const dumps = new Map<string, Found>();
  for await (const { text, counter } of target.ownStates()) {
    if (text.dump?.base !== base) continue;
    const { dump: id, part, parts, through = '' } = text.dump;
    const dump: Found = dumps.get(id) ?? { counter, parts: new Set(), covered: [], through: '', isWhole: false };
    dumps.set(id, dump);
    dump.parts.add(part);
    for (const hash of text.dump.covered) dump.covered.push(hash);
    if (through > dump.through) dump.through = through;
    dump.isWhole ||= parts !== undefined;
  }
  return [...dumps]
    .filter(([, { parts }]) => Math.max(...parts) === parts.size - 1)
    .map(([dump, { parts, ...found }]) => ({ ...found, dump, parts: parts.size }));
}

/** One dump on its way into the database, a page of parts at a time, in order. */
class DumpWriter {
  readonly #target: UserDocuments;
  readonly #options: WriteStateOptions;
  readonly #begun: Begun;
  #part: number;
  #page: { readonly part: DumpPart; readonly document: Document }[] = [];
  #progress: StateProgress = { done: 0, all: 0 };

  constructor(target: UserDocuments, begun: Begun, options: WriteStateOptions) {
    this.#target = target;
    this.#options = options;
    this.#begun = begun;
    this.#part = begun.parts;
  }

  set progress(progress: StateProgress) {
    this.#progress = progress;
  }

  async add({ operations, ...content }: PartContent, isLast = false): Promise<void> {
    this.#options.signal.throwIfAborted();
    const { dump, counter } = this.#begun;
    const number = this.#part++;
    const parts = isLast ? this.#part : undefined;
    const part = { dump, part: number, parts, base: this.#options.base, ...content };
    const document = this.#target.seal('state', encodeState(operations, part), counter);
    this.#page.push({ part, document });
    if (this.#page.length >= STATE_PAGE || isLast) await this.flush();
  }

  async flush(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    await this.#target.write(page.map(({ document }) => document));
    for (const { part, document } of page) this.#options.onPart?.(part, hashOf(document._id));
    await this.#options.onProgress?.(this.#progress);
  }
}

/**
 * Writes all that a view knows as state documents. Stopped at any moment, it goes on there when it is called again, by the
 * same peer; a dump that begins a generation and is whole is not written twice.
 */
export async function writeState(view: View, target: UserDocuments, options: WriteStateOptions): Promise<void> {
  const written = await ownDumps(target, options.base);
  if (options.base && written.some(({ isWhole }) => isWhole)) return;
  const known = new Set(view.covered);
  // What it claims to stand for has to be in the nodes that are still to come: not so where the database has lost some since.
  const unfinished = written.find(
    ({ isWhole, through, covered }) => !isWhole && through !== '' && covered.every((hash) => known.has(hash)),
  );
  const fresh = { dump: toHex(randomBytes(SHORT_ID_BYTES)), counter: view.counter, parts: 0, through: '' };
  const begun = unfinished ?? fresh;
  const writer = new DumpWriter(target, begun, options);
  const all = [...view.tree.nodes()].length;
  if (unfinished === undefined) for (const part of coverageParts(view)) await writer.add(part);
  const before = [...view.tree.nodes()].filter(({ id }) => id <= begun.through).length;
  const passed = (nodes: number): void => {
    writer.progress = { done: Math.min(before + nodes, all), all };
  };
  for await (const part of nodeParts(view, { after: begun.through, map: options.mapVersion, passed })) {
    await writer.add(part);
  }
  await writer.add({ operations: [], covered: [], heads: [], missing: [], through: undefined }, true);
}
