import { parseChunkId, parsePeerId, parseStripeId, parseUserId, type StripeId, stripeId } from '../chunk/ids.js';
import type { Receipt } from '../chunk/chunk-store.js';
import { StorageError } from '../errors.js';
import { DOCUMENT_PAGE, MAX_LABEL_BYTES, MAX_RECEIPT_BYTES, MAX_STRIPE_CHUNKS, MIN_DATA_CHUNKS } from '../limits.js';
import type { Placement, StripeRecord } from './catalog.js';
import type { Document, DocumentDatabase } from '../documents/document-database.js';

const FORMAT = 1;
const PREFIX = 'stripe-';

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function corrupt(): never {
  throw new StorageError(
    'CORRUPT',
    'The catalog holds a stripe that does not make sense. Restore it from a backup host.',
  );
}

function bytesOf(field: unknown, maxBytes: number): Uint8Array {
  if (typeof field !== 'string' || field.length > Math.ceil(maxBytes / 3) * 4) corrupt();
  return Uint8Array.from(Buffer.from(field, 'base64'));
}

function numberOf(field: unknown): number {
  return typeof field === 'number' && Number.isSafeInteger(field) && field >= 0 ? field : corrupt();
}

function textOf(field: unknown): string {
  return typeof field === 'string' ? field : corrupt();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A stripe's size has to agree with its own lists, and its id with both: the id is what a manifest commits to. */
function isConsistent(record: StripeRecord): boolean {
  const { k, m, chunks, placement } = record;
  if (k < MIN_DATA_CHUNKS || k + m > MAX_STRIPE_CHUNKS) return false;
  return chunks.length === k + m && placement.length === k + m && stripeId(k, m, chunks) === record.id;
}

function writeReceipt(receipt: Receipt): Record<string, string> {
  return { body: toBase64(receipt.body), signature: toBase64(receipt.signature) };
}

function writePlacement(placement: Placement | undefined): unknown {
  if (placement === undefined) return null;
  const { peer, receipt } = placement;
  return receipt === undefined ? { peer } : { peer, receipt: writeReceipt(receipt) };
}

function readPlacement(value: unknown): Placement | undefined {
  if (value === null) return undefined;
  if (!isObject(value)) corrupt();
  const peer = parsePeerId(textOf(value['peer']));
  const receipt = value['receipt'];
  if (!isObject(receipt)) return { peer };
  const body = bytesOf(receipt['body'], MAX_RECEIPT_BYTES);
  return { peer, receipt: { peer, body, signature: bytesOf(receipt['signature'], MAX_RECEIPT_BYTES) } };
}

function writeStripe(record: StripeRecord): Document {
  const { id, owner, k, m, bytes, chunkBytes, chunks, placement, label } = record;
  if (!isConsistent(record)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'The stripe does not make sense: its id, its chunks and their places disagree.',
    );
  }
  const fields = { type: 'stripe', format: FORMAT, owner, k, m, bytes, chunkBytes, chunks };
  return { _id: PREFIX + id, ...fields, placement: placement.map(writePlacement), label: toBase64(label) };
}

/** Anyone may have written it: the id proves k, m and the chunks; receipts and label carry signatures of their own. */
function readStripe(id: StripeId, document: Document): StripeRecord {
  const { format, chunks, placement } = document;
  if (typeof format === 'number' && format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `A stripe was stored by a newer version of Shoal (format ${String(format)}). Upgrade Shoal on this machine.`,
    );
  }
  if (format !== FORMAT || !Array.isArray(chunks) || !Array.isArray(placement)) corrupt();
  const record = {
    id,
    owner: parseUserId(textOf(document['owner'])),
    k: numberOf(document['k']),
    m: numberOf(document['m']),
    bytes: numberOf(document['bytes']),
    chunkBytes: numberOf(document['chunkBytes']),
    chunks: chunks.map((chunk: unknown) => parseChunkId(textOf(chunk))),
    placement: placement.map(readPlacement),
    label: bytesOf(document['label'], MAX_LABEL_BYTES),
  };
  return isConsistent(record) ? record : corrupt();
}

/** An id of the wrong shape is the document's fault here, not the caller's. */
function readOrRefuse(id: StripeId, document: Document): StripeRecord {
  try {
    return readStripe(id, document);
  } catch (error) {
    if (StorageError.is(error, 'INVALID_ARGUMENT')) corrupt();
    throw error;
  }
}

/** The database `stripes`: one document per stripe, with where its chunks were placed first. */
export class StripeDocuments {
  readonly #database: DocumentDatabase;

  constructor(database: DocumentDatabase) {
    this.#database = database;
  }

  async put(records: readonly StripeRecord[]): Promise<void> {
    await this.#database.put(records.map(writeStripe));
  }

  /** In the order asked; undefined where unknown. */
  async get(ids: readonly StripeId[]): Promise<(StripeRecord | undefined)[]> {
    const records: (StripeRecord | undefined)[] = [];
    for (let at = 0; at < ids.length; at += DOCUMENT_PAGE) {
      const slice = ids.slice(at, at + DOCUMENT_PAGE);
      records.push(...(await Promise.all(slice.map((id) => this.#one(id)))));
    }
    return records;
  }

  /** @throws StorageError INVALID_ARGUMENT when one of them is unknown */
  async demand(ids: readonly StripeId[]): Promise<void> {
    for (let at = 0; at < ids.length; at += DOCUMENT_PAGE) {
      const found = await Promise.all(ids.slice(at, at + DOCUMENT_PAGE).map((id) => this.#database.get(PREFIX + id)));
      if (found.includes(undefined)) {
        throw new StorageError('INVALID_ARGUMENT', 'A version refers to a stripe that the catalog does not know.');
      }
    }
  }

  async forget(ids: readonly StripeId[]): Promise<void> {
    for (let at = 0; at < ids.length; at += DOCUMENT_PAGE) {
      await this.#database.remove(ids.slice(at, at + DOCUMENT_PAGE).map((id) => PREFIX + id));
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #one(id: StripeId): Promise<StripeRecord | undefined> {
    const document = await this.#database.get(PREFIX + parseStripeId(id));
    return document === undefined ? undefined : readOrRefuse(id, document);
  }
}
