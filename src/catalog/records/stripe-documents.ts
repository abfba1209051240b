import type { Receipt } from '../../chunk/chunk-store.js';
import { parseStripeId, type PeerId, type StripeId, type UserId } from '../../chunk/ids.js';
import type { Document, DocumentDatabase } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { DOCUMENT_PAGE, MANY_STRIPES, MAX_CACHED_STRIPES, STRIPE_ID_PAGE, STRIPE_READS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { ChunkMove, StripePage, StripeRecord } from '../catalog.js';
import { ChangeFollower } from './change-follower.js';
import { type Forgetting, tombstone, writeForgotten } from './forget-record.js';
import type { RecordProblems } from './record-problems.js';
import { findStripe } from './stripe-find.js';
import { mergeMoves, movePrefix, writeMove } from './stripe-move.js';
import {
  isSignedReceipt,
  type PeersById,
  STRIPE_PREFIX,
  stripeDocumentId,
  type StripeChoice,
  toBase64,
  writeStripe,
} from './stripe-record.js';

/** Peers that a move names beside the holders: 34 KB of MAX_DOCUMENT_BYTES, whatever members have written of its stripe. */
const MAX_FORMER = 512;

/** Of a chunk of a stripe that is known. */
interface NewPlace {
  readonly stripe: StripeRecord;
  readonly receipt: Receipt;
}

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
    const moved: NewPlace[] = [];
    const known = await this.get(records.map(({ id }) => id));
    for (const [index, record] of records.entries()) {
      const document = writeStripe(record);
      const before = known[index];
      if (before === undefined) fresh.push(document);
      else moved.push(...(await this.#placesSince(before, record)));
    }
    await this.#write([...fresh, ...(await this.#movesTo(moved))]);
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
    const places = moves.map(({ chunk, receipt }, at) => {
      const stripe = stripes[at];
      const index = stripe?.chunks.indexOf(chunk) ?? -1;
      if (stripe === undefined || index < 0) {
        throw new StorageError('INVALID_ARGUMENT', 'The catalog knows no such chunk.');
      }
      if (!isSignedReceipt({ stripe, index, receipt }, peers)) {
        throw new StorageError('PERMISSION_DENIED', 'The receipt of a moved chunk is not signed by its new peer.');
      }
      return { stripe, receipt };
    });
    await this.#write(await this.#movesTo(places));
  }

  /** Those of another owner, and unknown ones, are passed over. */
  async forget(ids: readonly StripeId[], order: Forgetting): Promise<void> {
    const stripes = (await this.get(ids)).flatMap((stripe) => (stripe?.owner === order.owner ? stripe : []));
    const moves = await this.#moves(stripes.map(({ id }) => id));
    const named = await this.#named(moves);
    const tombstones = stripes.flatMap(({ id: stripe, owner, placement }) => {
      const forgotten = writeForgotten(stripe, order);
      const documents = [stripeDocumentId(stripe), ...(moves.get(stripe) ?? []).map(({ _id }) => _id)];
      // Who held a chunk before has the record, too.
      const holders = placement.flatMap((place) => place?.peer ?? []);
      const peers = [...new Set([...holders, ...(named.get(stripe) ?? [])])];
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
    const choice = await this.#choice();
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

  async #choice(): Promise<StripeChoice> {
    return { peers: await this.#options.peers(), isOwn: this.#options.isOwn };
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

  /** Of chunks that lie elsewhere than before. The receipts of the stripe's own document, told once more, are older than any move. */
  async #placesSince(before: StripeRecord, now: StripeRecord): Promise<readonly NewPlace[]> {
    const receipts = now.placement.flatMap((place, index) =>
      place?.receipt === undefined || place.peer === before.placement[index]?.peer ? [] : place.receipt,
    );
    if (receipts.length === 0) return [];
    const first = await this.#one(before.id, await this.#choice());
    const told = new Set(first?.placement.flatMap((place) => (place?.receipt ? toBase64(place.receipt.body) : [])));
    return receipts.flatMap((receipt) => (told.has(toBase64(receipt.body)) ? [] : { stripe: before, receipt }));
  }

  async #movesTo(places: readonly NewPlace[]): Promise<readonly Document[]> {
    if (places.length === 0) return [];
    const named = await this.#named(await this.#moves([...new Set(places.map(({ stripe }) => stripe.id))]));
    return places.map(({ stripe, receipt }) => writeMove(stripe, receipt, named.get(stripe.id) ?? []));
  }

  /** Peers of the network that the documents of these stripes and their moves name: whoever of them held a chunk has the record. */
  async #named(moves: ReadonlyMap<StripeId, readonly Document[]>): Promise<ReadonlyMap<StripeId, readonly PeerId[]>> {
    const ids = [...moves.keys()];
    const known = [...(await this.#options.peers()).keys()];
    const named = new Map<StripeId, readonly PeerId[]>();
    for (let at = 0; at < ids.length; at += DOCUMENT_PAGE) {
      const some = ids.slice(at, at + DOCUMENT_PAGE);
      for (const { id, document } of await this.#database.getMany(some.map(stripeDocumentId))) {
        const stripe = stripeOf(id);
        const documents = [...(document === undefined ? [] : [document]), ...(moves.get(stripe) ?? [])];
        const peers = new Set(
          documents.flatMap((each) => (Array.isArray(each['peers']) ? (each['peers'] as unknown[]) : [])),
        );
        named.set(stripe, known.filter((peer) => peers.has(peer)).slice(0, MAX_FORMER));
      }
    }
    return named;
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
