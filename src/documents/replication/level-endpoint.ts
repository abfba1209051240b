import { READ_CONCURRENCY, REPLICATION_BATCH_BYTES } from '../../limits.js';
import { timeLimit } from '../../time-limit.js';
import type { IsLatest } from '../branches.js';
import type { LevelDatabase } from '../level-database.js';
import { type IncomingRevision, plainDocument, type Pouch, type Revision, statusOf } from '../pouch.js';
import { olderRevisions } from '../revisions.js';
import { RESERVED_LOCAL } from '../security.js';
import { writeRevisions } from '../write-revisions.js';
import type { Revivals } from './revivals.js';
import { parseCheckpoint } from './checkpoints.js';
import {
  byDocument,
  type Checkpoint,
  type Endpoint,
  type FeedPage,
  type FeedRequest,
  type NamedRevisions,
  type ReadBatch,
  type RefusedRevision,
} from './endpoint.js';

/** What is read under an id now. */
export interface Held extends Revision {
  /** Further live branches. */
  readonly _conflicts?: readonly string[];
}

/** Whether `held` is an ancestor of this revision, which then is read in its place wherever both are. */
export function replaces(revision: IncomingRevision, held: Held | undefined): boolean {
  return held !== undefined && olderRevisions([revision]).includes(held._rev);
}

/**
 * Whether a revision from elsewhere may be written.
 *
 * @param oldDoc its nearest stored ancestor
 * @throws `{ forbidden: reason }`
 */
export type JudgeIncoming = (newDoc: IncomingRevision, oldDoc: Revision | null, held: Held | undefined) => void;

/** What becomes of revisions from elsewhere. */
export interface IncomingRules {
  readonly judge: JudgeIncoming;
  /** Absent: any number of branches is taken. */
  readonly isLatest?: IsLatest;
  /** Of the host that the revisions come from. */
  readonly revivals: Revivals;
}

const READING = 'Reading the catalog';

function statusIs(status: number): (error: unknown) => undefined {
  return (error) => {
    if (statusOf(error) === status) return undefined;
    throw error;
  };
}

/** A database of this process. */
export class LevelEndpoint implements Endpoint {
  readonly #database: LevelDatabase;
  readonly #rules: IncomingRules;

  constructor(database: LevelDatabase, rules: IncomingRules) {
    this.#database = database;
    this.#rules = rules;
  }

  async feed({ since, limit, waitMs, signal }: FeedRequest): Promise<FeedPage> {
    const database = this.#database;
    using waiting = timeLimit(waitMs, signal);
    const patience = waiting.signal;
    let from = await database.parseSequence(since);
    const changes: NamedRevisions[] = [];
    for (;;) {
      const { writes } = database;
      // Of a document that has changed again later nothing is told here: only the end makes a page short.
      const page = await database.changes(from, limit);
      signal.throwIfAborted();
      const told = page.changes.filter(({ id }) => !id.startsWith('_'));
      const taken = told.slice(0, limit - changes.length);
      changes.push(...taken.map(({ id, leaves }) => ({ id, revs: leaves })));
      const isCut = taken.length < told.length;
      from = Math.max(from, (isCut ? taken.at(-1)?.sequence : undefined) ?? page.last);
      const isFull = changes.length === limit;
      if (isFull || (page.isEnd && (changes.length > 0 || patience.aborted))) {
        const total = await database.read(READING, (pouch) => pouch.info());
        const pending = Math.max(0, total.update_seq - from);
        return { changes, last: await database.formatSequence(from), pending };
      }
      if (page.isEnd) await database.nextWrite(writes, patience);
    }
  }

  async missing(told: readonly NamedRevisions[]): Promise<readonly NamedRevisions[]> {
    const changes = byDocument(told);
    // Of most documents nothing is here, which is told by one look at each.
    const winners = await this.#database.winners(changes.map(({ id }) => id));
    const known = changes.filter(({ id }) => winners.has(id));
    const asked = Object.fromEntries(known.map(({ id, revs }) => [id, revs]));
    const diff = known.length === 0 ? {} : await this.#database.read(READING, (pouch) => pouch.revsDiff(asked));
    const lacking = Object.entries(diff).map(([id, { missing }]) => ({ id, revs: missing }));
    return [...changes.filter(({ id }) => !winners.has(id)), ...lacking];
  }

  async *read(wanted: readonly NamedRevisions[], signal: AbortSignal): AsyncIterable<ReadBatch> {
    let revisions: Revision[] = [];
    let bytes = 0;
    for (let at = 0; at < wanted.length; at += READ_CONCURRENCY) {
      signal.throwIfAborted();
      const group = wanted.slice(at, at + READ_CONCURRENCY);
      const found = await this.#database.read(READING, (pouch) => Promise.all(group.map((each) => texts(pouch, each))));
      for (const revision of found.flat()) {
        revisions.push(revision);
        bytes += JSON.stringify(revision).length;
      }
      if (bytes < REPLICATION_BATCH_BYTES) continue;
      yield { revisions, refused: [] };
      revisions = [];
      bytes = 0;
    }
    if (revisions.length > 0) yield { revisions, refused: [] };
  }

  async write(revisions: readonly IncomingRevision[]): Promise<readonly RefusedRevision[]> {
    const held = await this.#held(revisions.map(({ _id }) => _id));
    const { judge, isLatest, revivals } = this.#rules;
    const results = await writeRevisions(this.#database, revisions, {
      newEdits: false,
      validate: (newDoc, oldDoc) => judge(newDoc, oldDoc, held.get(newDoc._id)),
      ...(isLatest && { isLatest }),
    });
    const hidden = new Set<string>();
    const refused = results.flatMap((result, at) => {
      if (!('error' in result)) return [];
      const revision = revisions[at];
      if (revision !== undefined && replaces(revision, held.get(result.id))) hidden.add(result.id);
      return [{ id: result.id, reason: result.reason }];
    });
    await this.#revive([...hidden].filter((id) => revivals.take(id)).flatMap((id) => held.get(id) ?? []));
    return refused;
  }

  async checkpoint(id: string): Promise<Checkpoint | undefined> {
    const found = await this.#database.read(READING, (pouch) => pouch.get(localId(id)).catch(statusIs(404)));
    return found && parseCheckpoint(found);
  }

  async setCheckpoint(id: string, checkpoint: Checkpoint): Promise<void> {
    await this.#database.write(async (pouch) => {
      const former = await pouch.get(localId(id)).catch(statusIs(404));
      await pouch.put({ ...checkpoint, _id: localId(id), ...(former && { _rev: former._rev }) });
    });
  }

  /**
   * Writes what documents say once more, over the same ancestors: a revision that was refused here hides them at the host.
   * Of the branches that are there then CouchDB reads a live one before a deleted one.
   */
  async #revive(hidden: readonly Held[]): Promise<void> {
    if (hidden.length === 0) return;
    const again = hidden.map((held) => ({ ...plainDocument(held), _rev: held._rev }));
    await this.#database.write((pouch) => pouch.bulkDocs(again));
  }

  /** The live winners. */
  async #held(ids: readonly string[]): Promise<Map<string, Held>> {
    const held = new Map<string, Held>();
    const winners = await this.#database.winners([...new Set(ids)]);
    const live = [...winners].filter(([, { deleted }]) => !deleted).map(([id]) => id);
    await this.#database.read(READING, async (pouch) => {
      for (const id of live) {
        const found = await pouch.get(id, { conflicts: true }).catch(statusIs(404));
        if (found !== undefined) held.set(id, found);
      }
    });
    return held;
  }
}

/** Out of reach of requests, beside the security of the database. */
function localId(id: string): string {
  return `${RESERVED_LOCAL}checkpoint-${id}`;
}

async function texts(pouch: Pouch, { id, revs }: NamedRevisions): Promise<Revision[]> {
  const found = await pouch.get(id, { open_revs: revs, revs: true }).catch(statusIs(404));
  return (found ?? []).flatMap((each) => ('ok' in each ? [each.ok] : []));
}
