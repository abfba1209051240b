import { MAX_BRANCHES } from '../limits.js';
import type { Document } from './document-database.js';
import type { LevelDatabase } from './level-database.js';
import type { IncomingRevision } from './pouch.js';
import { readLeaves } from './read-leaves.js';
import type { Refusal } from './revision-shape.js';
import { olderRevisions } from './revisions.js';

/** Whether what this document says is right, and later than what any of the others rightly says. */
export type IsLatest = (document: Document, others: readonly Document[]) => boolean;

/** @returns undefined for a database whose documents have any number of branches */
export type LatestIn = (database: string) => IsLatest | undefined;

/**
 * Keeps the documents that one batch touches to MAX_BRANCHES branches each. One that follows a branch adds none. A further
 * one is taken only for what it says: else whoever fills a document first would keep the right record out.
 */
export class Branches {
  readonly #database: LevelDatabase;
  readonly #isLatest: IsLatest;
  readonly #leaves = new Map<string, Set<string>>();
  readonly #taken = new Map<string, IncomingRevision[]>();

  constructor(database: LevelDatabase, isLatest: IsLatest) {
    this.#database = database;
    this.#isLatest = isLatest;
  }

  /** Ask for each revision that would be written, in order. @returns undefined when it may be */
  async refuse(revision: IncomingRevision): Promise<Refusal | undefined> {
    const { _id: id, _rev: rev } = revision;
    const leaves = this.#leaves.get(id) ?? new Set(await this.#database.leaves(id));
    this.#leaves.set(id, leaves);
    if (rev === undefined || leaves.has(rev)) return undefined;
    const followed = olderRevisions([revision]).find((older) => leaves.has(older));
    if (followed !== undefined) leaves.delete(followed);
    else if (leaves.size >= MAX_BRANCHES && !(await this.#isWorthIt(revision))) {
      const reason = `this document has ${String(leaves.size)} branches, and another one that is not the latest is not taken`;
      return { error: 'forbidden', reason };
    }
    leaves.add(rev);
    this.#taken.set(id, [...(this.#taken.get(id) ?? []), revision]);
    return undefined;
  }

  async #isWorthIt(revision: IncomingRevision): Promise<boolean> {
    const { _id: id } = revision;
    const stored = (await readLeaves(this.#database, id)).flatMap((leaf) => ('ok' in leaf ? [leaf.ok] : []));
    return this.#isLatest(revision, [...stored, ...(this.#taken.get(id) ?? [])]);
  }
}
