import { randomBytes } from 'node:crypto';
import { parseChunkId, parseUserId, stripeId, type StripeId } from '../../src/chunk/ids.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { makeReceipt } from '../../src/chunk/receipt.js';
import { sealSigned } from '../../src/chunk/signed.js';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import { StripeDocuments } from '../../src/catalog/records/stripe-documents.js';
import type { PeersById } from '../../src/catalog/records/stripe-record.js';
import { deriveUserKeys, newRootKey, userId } from '../../src/crypto/root-key.js';
import type { DocumentDatabase } from '../../src/documents/document-database.js';
import { assert } from '../../src/errors.js';
import { MAX_CHUNK_BYTES, MAX_STRIPE_BYTES } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';

const DIRECTORY_BYTES = 400;
/** Records that one put writes together. */
const BATCH = 1_000;

export interface StripeLoadOptions {
  readonly database: DocumentDatabase;
  /** They hold the chunks: as many as a stripe has, the last of them parity. */
  readonly members: readonly Membership[];
  readonly peers: PeersById;
}

/**
 * Stripe records as puts leave them, and the tombstones that removals leave, in any database: what it costs to write, read
 * and forget them, and, with a database that is replicated, to send them on.
 */
export class StripeLoad implements AsyncDisposable {
  readonly #stripes: StripeDocuments;
  readonly #members: readonly Membership[];
  readonly #keys = deriveUserKeys(newRootKey());
  readonly #owner = parseUserId(userId(this.#keys.signing.publicKey));

  private constructor(stripes: StripeDocuments, members: readonly Membership[]) {
    this.#stripes = stripes;
    this.#members = members;
  }

  static async open({ database, members, peers }: StripeLoadOptions): Promise<StripeLoad> {
    const logger = silentLogger();
    const options = { database, logger, problems: new RecordProblems(logger), peers: () => Promise.resolve(peers) };
    return new StripeLoad(await StripeDocuments.open({ ...options, isOwn: () => true }), members);
  }

  /** A full stripe; of packed small files one holds thousands. */
  make(): StripeRecord {
    const n = this.#members.length;
    const m = Math.max(1, Math.floor(n / 3));
    const k = n - m;
    const chunks = Array.from({ length: n }, () => parseChunkId(randomBytes(32)));
    const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.floor(MAX_STRIPE_BYTES / k));
    const bytes = k * chunkBytes;
    const directory = { directoryOffset: bytes - DIRECTORY_BYTES, directoryBytes: DIRECTORY_BYTES };
    const shape = { owner: this.#owner, k, m, chunkBytes, chunks };
    const placement = chunks.map((chunk, index) => {
      const by = this.#members[index];
      assert(by !== undefined, 'a member for each chunk');
      const promised = { peer: by.peer, chunk, owner: this.#owner, bytes: chunkBytes, storedMs: Date.now() };
      return { peer: by.peer, receipt: makeReceipt(promised, (body) => by.signAsPeer('receipt', body)) };
    });
    const label = sealSigned('label', encodeLabel({ ...shape, stripeBytes: bytes, ...directory }), this.#keys.signing);
    return { ...shape, id: stripeId(k, m, chunks), bytes, placement, label };
  }

  async put(records: readonly StripeRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += BATCH) await this.#stripes.put(records.slice(at, at + BATCH));
  }

  get(ids: readonly StripeId[]): Promise<readonly (StripeRecord | undefined)[]> {
    return this.#stripes.get(ids);
  }

  /** As after the removal of all their files. */
  async forget(ids: readonly StripeId[]): Promise<void> {
    const order = { owner: this.#owner, by: this.#keys.signing, issuedMs: Date.now() };
    for (let at = 0; at < ids.length; at += BATCH) await this.#stripes.forget(ids.slice(at, at + BATCH), order);
  }

  /** The database too. */
  close(): Promise<void> {
    return this.#stripes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
