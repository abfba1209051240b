import type { Receipt } from '../../chunk/chunk-store.js';
import { parseStripeId, type StripeId, type UserId } from '../../chunk/ids.js';
import type { Document, DocumentDatabase } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { DOCUMENT_PAGE, MANY_STRIPES, MAX_CACHED_STRIPES, STRIPE_ID_PAGE, STRIPE_READS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { ChunkMove, StripePage, StripeRecord } from '../catalog.js';
import { ChangeFollower } from './change-follower.js';
import { type Forgetting, tombstone, writeForgotten } from './forget-record.js';
import type { RecordProblems } from './record-problems.js';
import { findStripe } from './stripe-find.js';
import { lastMove, mergeMoves, movePrefix, writeMove } from './stripe-move.js';
import {
  isSignedReceipt,
  type PeersById,
  STRIPE_PREFIX,
  stripeDocumentId,
  type StripeChoice,
  writeStripe,
} from './stripe-record.js';

export interface StripeDocumentsOptions {
  readonly database: DocumentDatabase;
  readonly problems: RecordProblems;
  readonly logger: Logger;
  /** All peers of the network, removed ones too: whose receipts count. */
  readonly peers: () => Promise<PeersById>;
  /** Users that are unlocked here. */
  readonly isOwn: (owner: UserId) => boolean;
}

/**
 * The database `stripes`: one document for each stripe, which never changes, and one for each later move of a chunk. What
 * was checked once is kept in memory until its documents change.
 */
export class StripeDocuments {
  readonly #options: StripeDocumentsOptions;
  readonly #database: DocumentDatabase;
  readonly #checked = new Map<StripeId, StripeRecord>();
  readonly #follower: ChangeFollower;
  /** For each read that is under way: the stripes that changed meanwhile, of which it may have seen the older state. */
  readonly #reads = new Set<Set<StripeId>>();

  private constructor(options: StripeDocumentsOptions, since: string) {
    this.#options = options;
    this.#database = options.database;
    this.#follower = new ChangeFollower({
      database: options.database,
      since,
      logger: options.logger,
      onChanges: (ids) => {
        this.#invalidate(ids);
      },
      onGap: () => {
        this.#checked.clear();
        this.#reads.clear();
      },
    });
  }

  static async open(options: StripeDocumentsOptions): Promise<StripeDocuments> {
    return new StripeDocuments(options, await options.database.sequence());
  }

  /** A stripe that is known keeps its document; where its chunks have moved since is noted beside it. */
  async put(records: readonly StripeRecord[]): Promise<void> {
    const fresh: Document[] = [];
    const known = await this.get(records.map(({ id }) => id));
    const moved: { readonly before: StripeRecord; readonly receipts: readonly Receipt[] }[] = [];
    for (const [index, record] of records.entries()) {
      const document = writeStripe(record);
      const before = known[index];
      const receipts = before === undefined ? [] : receiptsSince(before, record);
      if (before === undefined) fresh.push(document);
      else if (receipts.length > 0) moved.push({ before, receipts });
    }
    const last = await this.#lastMoves(moved.map(({ before }) => before));
    for (const { before, receipts } of moved) {
      fresh.push(...receipts.map((receipt) => writeMove(before, receipt, last.get(before.id))));
    }
    await this.#write(fresh);
  }

  /** In the order asked; undefined where unknown, and where nothing right is to be had. */
  async get(ids: readonly StripeId[]): Promise<(StripeRecord | undefined)[]> {
    // Kept apart: what is read may push out what was there, and a change may come meanwhile.
    const known = new Map(ids.map(parseStripeId).map((id) => [id, this.#checked.get(id)]));
    const missing = [...known].flatMap(([id, stripe]) => (stripe === undefined ? id : []));
    const read = missing.length === 0 ? undefined : await this.#read(missing);
    return ids.map((id) => this.#checked.get(id) ?? known.get(id) ?? read?.get(id));
  }

  /** The next ids that are known, be the documents of some damaged. */
  async ids({ after, limit }: StripePage): Promise<readonly StripeId[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > STRIPE_ID_PAGE) {
      throw new StorageError('INVALID_ARGUMENT', `A page of stripes has 1 to ${String(STRIPE_ID_PAGE)} ids.`);
    }
    const found: StripeId[] = [];
    const behind = after === undefined ? undefined : stripeDocumentId(parseStripeId(after));
    for await (const page of this.#database.ids(STRIPE_PREFIX, behind)) {
      found.push(...page.map(stripeOf));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /** Whether something of each has come, be it that it was forgotten, or is lost. */
  async haveCome(ids: readonly StripeId[]): Promise<boolean> {
    for (const id of ids) {
      if ((await this.#database.leaves(stripeDocumentId(id))).length === 0) return false;
    }
    return true;
  }

  /** @throws StorageError INVALID_ARGUMENT when one of them is unknown */
  async demand(ids: readonly StripeId[]): Promise<void> {
    const found = await this.get(ids);
    if (!found.includes(undefined)) return;
    throw new StorageError('INVALID_ARGUMENT', 'A version refers to a stripe that the catalog does not know.');
  }

  /** @throws StorageError INVALID_ARGUMENT for what is unknown, PERMISSION_DENIED for a receipt that its peer did not sign */
  async move(moves: readonly ChunkMove[]): Promise<void> {
    const stripes = await this.get(moves.map(({ stripe }) => stripe));
    const peers = await this.#options.peers();
    const last = await this.#lastMoves(stripes.flatMap((stripe) => stripe ?? []));
    const documents = moves.map(({ chunk, receipt }, at) => {
      const stripe = stripes[at];
      const index = stripe?.chunks.indexOf(chunk) ?? -1;
      if (stripe === undefined || index < 0) {
        throw new StorageError('INVALID_ARGUMENT', 'The catalog knows no such chunk.');
      }
      if (!isSignedReceipt({ stripe, index, receipt }, peers)) {
        throw new StorageError('PERMISSION_DENIED', 'The receipt of a moved chunk is not signed by its new peer.');
      }
      return writeMove(stripe, receipt, last.get(stripe.id));
    });
    await this.#write(documents);
  }

  /** Those of another owner, and unknown ones, are passed over. */
  async forget(ids: readonly StripeId[], order: Forgetting): Promise<void> {
    const stripes = (await this.get(ids)).flatMap((stripe) => (stripe?.owner === order.owner ? stripe : []));
    const moves = await this.#moves(stripes.map(({ id }) => id));
    const known = await this.#options.peers();
    const tombstones = stripes.flatMap(({ id: stripe, owner, placement }) => {
      const forgotten = writeForgotten(stripe, order);
      const moved = moves.get(stripe) ?? [];
      const documents = [stripeDocumentId(stripe), ...moved.map(({ _id }) => _id)];
      // Who held a chunk before has the record, too: a move names them all.
      const named = new Set(moved.flatMap(({ peers }) => (Array.isArray(peers) ? (peers as unknown[]) : [])));
      const former = [...known.keys()].filter((peer) => named.has(peer));
      const peers = [...new Set([...placement.flatMap((place) => place?.peer ?? []), ...former])];
      return documents.map((id) => tombstone(id, forgotten, { owner, peers }));
    });
    await this.#write(tombstones);
  }

  async close(): Promise<void> {
    await this.#follower.close();
    await this.#database.close();
  }

  async #write(documents: readonly Document[]): Promise<void> {
    for (let at = 0; at < documents.length; at += DOCUMENT_PAGE) {
      await this.#database.put(documents.slice(at, at + DOCUMENT_PAGE));
    }
    this.#invalidate(documents.map(({ _id }) => _id));
  }

  async #read(ids: readonly StripeId[]): Promise<Map<StripeId, StripeRecord>> {
    const changed = new Set<StripeId>();
    this.#reads.add(changed);
    try {
      const found = await this.#find(ids);
      // Not there any more after a gap in the feed.
      if (this.#reads.has(changed)) this.#keep([...found.values()].filter(({ id }) => !changed.has(id)));
      return found;
    } finally {
      this.#reads.delete(changed);
    }
  }

  async #find(ids: readonly StripeId[]): Promise<Map<StripeId, StripeRecord>> {
    const choice: StripeChoice = { peers: await this.#options.peers(), isOwn: this.#options.isOwn };
    const moves = await this.#moves(ids);
    const found = new Map<StripeId, StripeRecord>();
    for (let at = 0; at < ids.length; at += STRIPE_READS) {
      const slice = ids.slice(at, at + STRIPE_READS);
      const stripes = await Promise.all(slice.map((id) => this.#one(id, choice)));
      for (const stripe of stripes) {
        if (stripe === undefined) continue;
        found.set(stripe.id, this.#merge(stripe, moves.get(stripe.id) ?? [], choice.peers));
      }
    }
    return found;
  }

  async #one(id: StripeId, choice: StripeChoice): Promise<StripeRecord | undefined> {
    return findStripe(id, { database: this.#database, problems: this.#options.problems, choice });
  }

  #merge(stripe: StripeRecord, documents: readonly Document[], peers: PeersById): StripeRecord {
    if (documents.length === 0) return stripe;
    const { placement, refused } = mergeMoves(stripe, documents, peers);
    for (const { id, error } of refused) this.#options.problems.refused(id, error);
    return { ...stripe, placement };
  }

  /** The documents of moves, by stripe. */
  async #moves(ids: readonly StripeId[]): Promise<ReadonlyMap<StripeId, readonly Document[]>> {
    const wanted = new Map<StripeId, Document[]>(ids.map((id) => [id, []]));
    const prefixes = ids.length < MANY_STRIPES ? ids.map((id) => movePrefix(id)) : [movePrefix()];
    for (const prefix of prefixes) {
      for await (const page of this.#database.list(prefix)) {
        for (const { id, document } of page) {
          if (document !== undefined) wanted.get(stripeOf(id))?.push(document);
        }
      }
    }
    return wanted;
  }

  /** Of each of these that was moved before. */
  async #lastMoves(stripes: readonly StripeRecord[]): Promise<ReadonlyMap<StripeId, string>> {
    if (stripes.length === 0) return new Map();
    const moves = await this.#moves(stripes.map(({ id }) => id));
    const peers = await this.#options.peers();
    return new Map(
      stripes.flatMap((stripe): [StripeId, string][] => {
        const last = lastMove(stripe, moves.get(stripe.id) ?? [], peers);
        return last === undefined ? [] : [[stripe.id, last]];
      }),
    );
  }

  #keep(stripes: readonly StripeRecord[]): void {
    for (const stripe of stripes) this.#checked.set(stripe.id, stripe);
    for (const oldest of this.#checked.keys()) {
      if (this.#checked.size <= MAX_CACHED_STRIPES) break;
      this.#checked.delete(oldest);
    }
  }

  #invalidate(documents: readonly string[]): void {
    for (const document of documents) {
      const id = stripeOf(document);
      this.#checked.delete(id);
      for (const changed of this.#reads) changed.add(id);
    }
  }
}

/** "stripe-<id>", "move-<id>-<hash>". */
function stripeOf(document: string): StripeId {
  const prefix = document.startsWith(STRIPE_PREFIX) ? STRIPE_PREFIX : movePrefix();
  return document.slice(prefix.length, prefix.length + 64) as StripeId;
}

/** Of chunks that lie elsewhere than before. */
function receiptsSince(before: StripeRecord, now: StripeRecord): Receipt[] {
  return now.placement.flatMap((place, index) => {
    if (place?.receipt === undefined || place.peer === before.placement[index]?.peer) return [];
    return place.receipt;
  });
}
