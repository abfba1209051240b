import { parseUserId, type StripeId } from '../../src/chunk/ids.js';
import { sealSigned } from '../../src/chunk/signed.js';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import { StripeDocuments } from '../../src/catalog/records/stripe-documents.js';
import type { PeersById } from '../../src/catalog/records/stripe-record.js';
import { deriveUserKeys, newRootKey, userId } from '../../src/crypto/root-key.js';
import type { DocumentDatabase } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import { sampleStripe } from './sample-stripe.js';

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
    const { record, label } = sampleStripe(this.#owner, this.#members);
    return { ...record, label: sealSigned('label', label, this.#keys.signing) };
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
