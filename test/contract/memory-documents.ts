import { createHash } from 'node:crypto';
import type { Document, DocumentDatabase, Leaf, Listed } from '../../src/documents/document-database.js';
import { onAbort } from '../../src/on-abort.js';

function generationOf(rev: string): number {
  return Number(rev.split('-')[0]);
}

/** CouchDB's rule: a leaf that is not deleted wins, then the highest generation, then the highest hash. */
function compareLeaves(a: Leaf, b: Leaf): number {
  if (a.deleted !== b.deleted) return a.deleted ? 1 : -1;
  const byGeneration = generationOf(b.rev) - generationOf(a.rev);
  return byGeneration === 0 ? (a.rev < b.rev ? 1 : -1) : byGeneration;
}

/** A document database for tests: everything in sight, nothing on disk. */
export class MemoryDocuments implements DocumentDatabase {
  /** What `get` finds. Tests may put other documents in, as a host that lies would. */
  readonly documents = new Map<string, Document>();
  readonly #leaves = new Map<string, readonly Leaf[]>();
  readonly #older = new Map<string, Document[]>();
  readonly #feed: string[] = [];
  readonly #waiters = new Set<() => void>();

  async get(id: string): Promise<Document | undefined> {
    return this.documents.get(id);
  }

  async getMany(ids: readonly string[]): Promise<readonly Listed[]> {
    return ids.map((id) => ({ id, document: this.documents.get(id) }));
  }

  async leaves(id: string): Promise<readonly Leaf[]> {
    const [winner, ...others] = this.#leaves.get(id) ?? [];
    const document = this.documents.get(id);
    if (document === undefined) return winner === undefined ? [] : [winner, ...others];
    return [{ rev: winner?.rev ?? '1-0', deleted: false, document }, ...others];
  }

  async texts(id: string): Promise<readonly Document[]> {
    const leaves = await this.leaves(id);
    return [...leaves.map(({ document }) => document), ...(this.#older.get(id) ?? [])];
  }

  async *list(prefix: string): AsyncIterable<readonly Listed[]> {
    const ids = this.#sorted(prefix);
    if (ids.length > 0) yield ids.map((id) => ({ id, document: this.documents.get(id) }));
  }

  async *ids(prefix: string, after = ''): AsyncIterable<readonly string[]> {
    const ids = this.#sorted(prefix).filter((id) => id > after);
    if (ids.length > 0) yield ids;
  }

  async put(documents: readonly Document[]): Promise<void> {
    for (const document of documents) await this.#write(document);
    this.#wake();
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (this.documents.has(id)) await this.#write({ _id: id, _deleted: true });
    this.#wake();
  }

  async removeLeaves(id: string, revs: readonly string[]): Promise<void> {
    for (const leaf of await this.leaves(id)) {
      if (revs.includes(leaf.rev)) await this.#extend(leaf, { _id: id, _deleted: true });
    }
    this.#wake();
  }

  /** Adds an end to a document's revision tree, as replication does. */
  async addLeaf(leaf: Leaf): Promise<void> {
    const id = leaf.document._id;
    const leaves = await this.leaves(id);
    if (leaves.some(({ rev }) => rev === leaf.rev)) return;
    this.#settle(id, [...leaves, leaf]);
    this.#wake();
  }

  async sequence(): Promise<string> {
    return String(this.#feed.length);
  }

  async *changes(options: { readonly since: string; readonly signal: AbortSignal }): AsyncIterable<readonly string[]> {
    const { signal } = options;
    let at = Number(options.since);
    while (!signal.aborted) {
      const ids = new Set(this.#feed.slice(at));
      at = this.#feed.length;
      if (ids.size > 0) yield [...ids];
      else await this.#nextWrite(signal);
    }
  }

  async compact(): Promise<void> {
    this.#older.clear();
  }

  async close(): Promise<void> {
    // nothing is open
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sorted(prefix: string): string[] {
    return [...this.documents.keys()].filter((id) => id.startsWith(prefix)).sort();
  }

  async #write(document: Document): Promise<void> {
    const [winner] = await this.leaves(document._id);
    await this.#extend(winner, document);
  }

  async #extend(parent: Leaf | undefined, written: Document): Promise<void> {
    const { _deleted, ...document } = written;
    const generation = parent === undefined ? 1 : generationOf(parent.rev) + 1;
    const hash = createHash('md5')
      .update(JSON.stringify([parent?.rev, written]))
      .digest('hex');
    const leaf = { rev: `${String(generation)}-${hash}`, deleted: _deleted === true, document };
    const leaves = await this.leaves(document._id);
    if (parent) this.#older.set(document._id, [...(this.#older.get(document._id) ?? []), parent.document]);
    this.#settle(document._id, [...leaves.filter(({ rev }) => rev !== parent?.rev), leaf]);
  }

  #settle(id: string, leaves: Leaf[]): void {
    leaves.sort(compareLeaves);
    this.#leaves.set(id, leaves);
    const [winner] = leaves;
    if (winner === undefined || winner.deleted) this.documents.delete(id);
    else this.documents.set(id, winner.document);
    this.#feed.push(id);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  #nextWrite(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        stop();
        resolve();
      };
      const stop = onAbort(signal, done);
      this.#waiters.add(done);
    });
  }
}
