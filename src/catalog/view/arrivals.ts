import type { PeerId } from '../../chunk/ids.js';
import { shortHash } from './document-id.js';
import { compareChanges, type ChangeStamp } from './stamp.js';
import type { DumpPart } from './state.js';
import type { VersionMove } from './version-move.js';

interface Dump {
  readonly base: boolean;
  readonly parts: Map<number, { readonly part: DumpPart; readonly document: string }>;
  total: number | undefined;
}

function raise(heads: Map<PeerId, ChangeStamp>, stamp: ChangeStamp): void {
  const head = heads.get(stamp.peer);
  if (head === undefined || compareChanges(stamp, head) > 0) heads.set(stamp.peer, stamp);
}

/** Which documents have come, or are stood for by a dump that has, and which others they speak of. By hash. */
export class Arrivals {
  /** Short hashes. */
  readonly #seen = new Set<string>();
  /** Hashes. */
  readonly #missing = new Set<string>();
  /** Hashes of changes that were here once. */
  readonly #expected = new Set<string>();
  readonly #heads = new Map<PeerId, ChangeStamp>();
  readonly #known = new Map<PeerId, ChangeStamp>();
  readonly #dumps = new Map<string, Dump>();
  /** Of each peer the newest move of a version that is here. */
  readonly #moves = new Map<PeerId, number>();
  /** Short hashes. */
  readonly #loose = new Set<string>();
  #counter = 0;
  #largestDump = 0;

  /** The highest Lamport counter seen. */
  get counter(): number {
    return this.#counter;
  }

  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** Changes that were here once, and are not. */
  get forgotten(): readonly string[] {
    return [...this.#expected];
  }

  /** A change that was here once. Whatever is written counts more than it, also when it is not here any more. */
  expect({ counter, document }: Pick<ChangeStamp, 'counter' | 'document'>): void {
    this.#counter = Math.max(this.#counter, counter);
    if (!this.has(document)) this.#expected.add(document);
  }

  /** What was here once will not come back. */
  giveUp(): void {
    this.#expected.clear();
    for (const head of this.#heads.values()) raise(this.#known, head);
    this.#moves.clear();
  }

  /** A version has moved, and what its peer wrote with that, the keepers of its places, may not be here. */
  get isAheadOfMoves(): boolean {
    return [...this.#moves].some(([peer, counter]) => counter > (this.#known.get(peer)?.counter ?? -1));
  }

  /** Something was said by a part of a dump of which all that came before has not come. */
  get isAhead(): boolean {
    if (this.isAheadOfMoves) return true;
    return [...this.#heads.values()].some(({ peer, counter }) => counter > (this.#known.get(peer)?.counter ?? -1));
  }

  /** Changes that came as they were written and that no whole dump stands for. */
  get loose(): number {
    return this.#loose.size;
  }

  /** Parts of the largest whole dump. */
  get largestDump(): number {
    return this.#largestDump;
  }

  get seen(): Iterable<string> {
    return this.#seen;
  }

  get heads(): readonly ChangeStamp[] {
    return [...this.#heads.values()];
  }

  /**
   * Of each peer the newest change before which nothing is missing, but for what is known to be. A part of a dump may say
   * something of a later one before all that came before that is here.
   */
  get known(): readonly ChangeStamp[] {
    return [...this.#known.values()];
  }

  /** Dumps that begin this generation and of which parts have not come. */
  get incompleteBases(): readonly string[] {
    return [...this.#dumps].filter(([, { base }]) => base).map(([id]) => id);
  }

  /** @param hash of a document, in hex */
  has(hash: string): boolean {
    return this.#seen.has(shortHash(hash));
  }

  headOf(peer: PeerId): ChangeStamp | undefined {
    return this.#heads.get(peer);
  }

  note(hash: string): void {
    this.#seen.add(shortHash(hash));
    this.#missing.delete(hash);
    this.#expected.delete(hash);
  }

  /** @param previous hash of what the same peer wrote before */
  noteChange(stamp: ChangeStamp, previous: string | undefined): void {
    this.note(stamp.document);
    this.#loose.add(shortHash(stamp.document));
    if (previous !== undefined && !this.has(previous)) this.#missing.add(previous);
    this.noteStamp(stamp);
    raise(this.#known, stamp);
  }

  noteMove({ counter, peer }: VersionMove): void {
    this.#counter = Math.max(this.#counter, counter);
    this.#moves.set(peer, Math.max(counter, this.#moves.get(peer) ?? 0));
  }

  noteStamp(stamp: ChangeStamp): void {
    this.#counter = Math.max(this.#counter, stamp.counter);
    raise(this.#heads, stamp);
  }

  /**
   * @param document the hash of the state document that has this part
   * @returns short hashes of all that the dump stands for, when this part makes it whole
   */
  noteDump(part: DumpPart, document: string): ReadonlySet<string> | undefined {
    const { dump: id, base } = part;
    const dump = this.#dumps.get(id) ?? { base, parts: new Map(), total: undefined };
    this.#dumps.set(id, dump);
    dump.parts.set(part.part, { part, document });
    dump.total ??= part.parts;
    if (dump.total !== dump.parts.size) return undefined;
    this.#dumps.delete(id);
    return this.#cover([...dump.parts.values()].map(({ part: whole }) => whole));
  }

  #cover(parts: readonly DumpPart[]): ReadonlySet<string> {
    this.#largestDump = Math.max(this.#largestDump, parts.length);
    const covered = new Set(parts.flatMap((part) => part.covered));
    for (const hash of covered) {
      this.#seen.add(hash);
      this.#loose.delete(hash);
    }
    for (const { heads, missing } of parts) {
      for (const head of heads) {
        this.noteStamp(head);
        raise(this.#known, head);
      }
      for (const hash of missing) if (!this.has(hash)) this.#missing.add(hash);
    }
    for (const hash of this.#missing) if (this.has(hash)) this.#missing.delete(hash);
    for (const hash of this.#expected) if (this.has(hash)) this.#expected.delete(hash);
    this.#dropSummedUp(covered);
    return covered;
  }

  /** A dump that was given up halfway is no loss when a whole one has all that came of it. */
  #dropSummedUp(covered: ReadonlySet<string>): void {
    for (const [id, { parts }] of this.#dumps) {
      if ([...parts.values()].every(({ document }) => covered.has(shortHash(document)))) this.#dumps.delete(id);
    }
  }
}
