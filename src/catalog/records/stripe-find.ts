import type { StripeId, UserId } from '../../chunk/ids.js';
import type { Document, DocumentDatabase } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import type { StripeRecord } from '../catalog.js';
import { forgottenBy } from './forget-record.js';
import type { RecordProblems } from './record-problems.js';
import { chooseStripe, readStripe, type StripeChoice, stripeDocumentId, writeStripe } from './stripe-record.js';

export interface StripeSearch {
  readonly database: DocumentDatabase;
  readonly problems: RecordProblems;
  readonly choice: StripeChoice;
}

/**
 * Finds the record of a stripe among all that lies under its id:
 *
 * - A forged leaf, of whatever generation, beside the right one: the right one is rightly labelled, the other is not, or has
 *   fewer signed receipts.
 * - A tombstone with the owner's order: the stripe is forgotten.
 * - A tombstone without it, or garbage, on the very branch: `validate` (src/documents/rules) keeps it out at backup hosts
 *   and when a peer pulls. Where it got in all the same, the record comes from an older revision and is written again; where
 *   there is none, that is reported, and `shoal recover` makes the record anew from the label beside the chunks.
 *
 * @returns undefined for one that is unknown, forgotten, or lost
 */
export async function findStripe(id: StripeId, search: StripeSearch): Promise<StripeRecord | undefined> {
  const { database, problems, choice } = search;
  const name = stripeDocumentId(id);
  const leaves = await database.leaves(name);
  if (leaves.length === 0) return undefined;
  const refusals: StorageError[] = [];
  const live = leaves.flatMap((leaf) => (leaf.deleted ? [] : (read(id, leaf.document, refusals) ?? [])));
  const orders = leaves.flatMap((leaf) => (leaf.deleted ? (forgottenBy(id, leaf.document) ?? []) : []));
  if (live.length === 0) return restore(id, { refusals, orders }, search);
  if (refusals[0] === undefined) problems.solved(name);
  else problems.refused(name, refusals[0]);
  return chooseStripe(
    live.filter(({ owner }) => !orders.includes(owner)),
    choice,
  );
}

interface Spoiled {
  /** Why the leaves are not believed. */
  readonly refusals: readonly StorageError[];
  /** Who ordered to forget the stripe. */
  readonly orders: readonly UserId[];
}

async function restore(id: StripeId, spoiled: Spoiled, search: StripeSearch): Promise<StripeRecord | undefined> {
  const { database, problems, choice } = search;
  const { refusals, orders } = spoiled;
  const name = stripeDocumentId(id);
  const older = (await database.texts(name)).flatMap((document) => read(id, document, []) ?? []);
  const found = chooseStripe(
    older.filter(({ owner }) => !orders.includes(owner)),
    choice,
  );
  if (found !== undefined) {
    await database.put([writeStripe(found)]);
    const reason = 'It was altered, or deleted without its owner; it was written again as it had been.';
    problems.note({ document: name, kind: 'replayed', reason });
    return found;
  }
  // Where no text is left, nobody can tell whose it was: the order of whoever signed one has to do.
  const [refusal] = refusals;
  if (orders.length > 0) problems.solved(name);
  else if (refusal?.code === 'UNSUPPORTED') problems.refused(name, refusal);
  else problems.note({ document: name, kind: 'lost', reason: refusal?.message ?? 'It was deleted without its owner.' });
  return undefined;
}

function read(id: StripeId, document: Document, refusals: StorageError[]): StripeRecord | undefined {
  try {
    return readStripe(id, document);
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    refusals.push(error);
    return undefined;
  }
}
