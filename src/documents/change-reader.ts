import type { Damage, LevelDown } from './checked-leveldb.js';
import type { Document } from './document-database.js';
import type { Revision } from './pouch.js';

/** How pouchdb-adapter-leveldb 9 names what it stores: sublevel-pouchdb puts 0xFF around the name of a store. */
const BY_SEQUENCE = '\u00ffby-sequence\u00ff';
const DOCUMENTS = '\u00ffdocument-store\u00ff';
const SEQUENCE_DIGITS = 16;

/** A node of a revision tree: hash, state, and what was made from it. */
type RevisionNode = readonly [hash: string, state: { readonly deleted?: boolean }, children: readonly RevisionNode[]];

/** What the adapter knows of a document, beside its revisions' texts. */
interface Metadata {
  readonly id: string;
  readonly seq: number;
  readonly winningRev: string;
  readonly deleted: boolean;
  readonly rev_map: Readonly<Record<string, number>>;
  readonly rev_tree: readonly { readonly pos: number; readonly ids: RevisionNode }[];
}

/** The revision that is read under an id. */
export interface Winner {
  readonly rev: string;
  readonly deleted: boolean;
}

export interface Current extends Winner {
  /** undefined where the text is lost. */
  readonly document: Revision | undefined;
}

/** The newest change of one document. */
export interface Change {
  readonly sequence: number;
  readonly id: string;
  readonly rev: string;
  readonly deleted: boolean;
  /** Every end of the revision tree, the winner included. */
  readonly leaves: readonly string[];
  /** Whether there are texts of revisions that are no leaf. */
  readonly hasHistory: boolean;
  /** The winner; undefined where its text is lost. */
  readonly document: Document | undefined;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** The last sequence that was looked at. */
  readonly last: number;
  /** Whether the database ended before the page was full. */
  readonly isEnd: boolean;
}

/**
 * Reads the feed of changes from LevelDB itself. The adapter's own reader ends the process where a document's description
 * or its winner is damaged (a TypeError in a callback of native code), so that bit rot in one document would keep a peer
 * from starting at all; this one passes such a document over and counts the damage.
 */
export class ChangeReader {
  readonly #level: LevelDown;
  readonly #damage: Damage;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(level: LevelDown, damage: Damage) {
    this.#level = level;
    this.#damage = damage;
  }

  /** By id; what was never there, or is damaged, is left out. PouchDB would look for each in a listing of its own. */
  winners(ids: readonly string[]): Promise<ReadonlyMap<string, Winner>> {
    return this.#each(ids, async (metadata) => winnerOf(metadata));
  }

  /** The same with the texts. */
  current(ids: readonly string[]): Promise<ReadonlyMap<string, Current>> {
    return this.#each(ids, async (metadata) => {
      const document = await this.#document(metadata, metadata.winningRev);
      return { ...winnerOf(metadata), document: document as Revision | undefined };
    });
  }

  /** Looks at up to `limit` sequences after `since`. A document that changed again later is only told of there. */
  page(since: number, limit: number): Promise<ChangePage> {
    return this.#track(() => this.#page(since, limit));
  }

  /** Every end of a document's revision tree, without the texts; none where the id was never there, or is damaged. */
  async leaves(id: string): Promise<readonly string[]> {
    if (this.#isClosed) throw new Error('database is not open');
    const reading = this.#get(DOCUMENTS + id);
    this.#running.add(reading);
    try {
      const found = await reading;
      return found === undefined ? [] : leavesOf(JSON.parse(found) as Metadata);
    } catch (error) {
      // Well-formed JSON of another shape.
      if (!(error instanceof TypeError)) throw error;
      this.#damage.count++;
      return [];
    } finally {
      this.#running.delete(reading);
    }
  }

  /** Resolves when nothing reads any more. Call it before LevelDB is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
  }

  async #track<T>(read: () => Promise<T>): Promise<T> {
    // A native read of a closed LevelDB ends the process.
    if (this.#isClosed) throw new Error('database is not open');
    const reading = read();
    this.#running.add(reading);
    try {
      return await reading;
    } finally {
      this.#running.delete(reading);
    }
  }

  async #each<T>(ids: readonly string[], read: (metadata: Metadata) => Promise<T>): Promise<ReadonlyMap<string, T>> {
    const found = new Map<string, T>();
    const look = async (id: string): Promise<void> => {
      const metadata = await this.#metadata(id);
      if (metadata !== undefined) found.set(id, await read(metadata));
    };
    await this.#track(() => Promise.all(ids.map(look)));
    return found;
  }

  async #metadata(id: string): Promise<Metadata | undefined> {
    const found = await this.#get(DOCUMENTS + id);
    if (found === undefined) return undefined;
    const metadata = Object(JSON.parse(found)) as Partial<Metadata>;
    if (metadata.winningRev !== undefined && metadata.rev_map !== undefined) return metadata as Metadata;
    this.#damage.count++;
    return undefined;
  }

  async #page(since: number, limit: number): Promise<ChangePage> {
    const entries = await this.#entries(since, limit);
    const changes = await Promise.all(entries.map(({ sequence, text }) => this.#change(sequence, text)));
    return {
      changes: changes.filter((change) => change !== undefined),
      last: entries.at(-1)?.sequence ?? since,
      isEnd: entries.length < limit,
    };
  }

  #entries(since: number, limit: number): Promise<{ sequence: number; text: string }[]> {
    const iterator = this.#level.iterator({
      gt: BY_SEQUENCE + String(since).padStart(SEQUENCE_DIGITS, '0'),
      lt: `${BY_SEQUENCE}\uffff`,
      keyAsBuffer: false,
      valueAsBuffer: false,
    });
    const entries: { sequence: number; text: string }[] = [];
    return new Promise((resolve, reject) => {
      const end = (failure?: Error | null): void => {
        iterator.end((error) => {
          const reason = failure ?? error;
          if (reason) reject(reason);
          else resolve(entries);
        });
      };
      const step = (): void => {
        iterator.next((error, key, value) => {
          if (error || typeof key !== 'string' || typeof value !== 'string') {
            end(error);
            return;
          }
          entries.push({ sequence: Number(key.slice(BY_SEQUENCE.length)), text: value });
          if (entries.length < limit) step();
          else end();
        });
      };
      step();
    });
  }

  async #change(sequence: number, text: string): Promise<Change | undefined> {
    try {
      const { _id: id, ...stored } = JSON.parse(text) as Document;
      const found = await this.#get(DOCUMENTS + id);
      if (found === undefined) return undefined;
      const metadata = JSON.parse(found) as Metadata;
      if (metadata.seq !== sequence) return undefined;
      const rev = metadata.winningRev;
      const document = stored['_rev'] === rev ? { _id: id, ...stored } : await this.#document(metadata, rev);
      const leaves = leavesOf(metadata);
      const hasHistory = Object.keys(metadata.rev_map).length > leaves.length;
      return { sequence, id, rev, deleted: metadata.deleted, leaves, hasHistory, document };
    } catch (error) {
      // Well-formed JSON of another shape.
      if (!(error instanceof TypeError)) throw error;
      this.#damage.count++;
      return undefined;
    }
  }

  async #document(metadata: Metadata, rev: string): Promise<Document | undefined> {
    const text = await this.#get(BY_SEQUENCE + String(metadata.rev_map[rev]).padStart(SEQUENCE_DIGITS, '0'));
    return text === undefined ? undefined : (JSON.parse(text) as Document);
  }

  /** @returns undefined where it is missing or damaged; the latter has been counted then */
  #get(key: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#level.get(key, { asBuffer: false }, (error, value) => {
        resolve(error instanceof Error ? undefined : String(value));
      });
    });
  }
}

function winnerOf({ winningRev, deleted }: Metadata): Winner {
  return { rev: winningRev, deleted };
}

function leavesOf(metadata: Metadata): string[] {
  const leaves: string[] = [];
  const open = metadata.rev_tree.map(({ pos, ids }) => ({ generation: pos, node: ids }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { generation } = next;
    const [hash, , children] = next.node;
    if (children.length === 0) leaves.push(`${String(generation)}-${hash}`);
    for (const node of children) open.push({ generation: generation + 1, node });
  }
  return leaves;
}
