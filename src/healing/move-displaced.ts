import type { StripeId } from '../chunk/ids.js';
import { decodeReceipt } from '../chunk/receipt.js';
import { wrapError } from '../errors.js';
import { SURPLUS_AGE_MS } from '../limits.js';
import { assess } from './assessment.js';
import { displacedChunk } from './rebalance.js';
import { askAround, restAfter, type RepairParts } from './repair-stripe.js';

/**
 * Copies one chunk of a stripe to the peer where it belongs now, and notes that. Only while every chunk is where the record
 * says: the stripe is never less safe than before, for the old holder drops its copy by the rule for surplus chunks, a day later
 * and when the new one has passed an audit. A chunk that was given its place less than a day ago stays: peers that disagree about who is
 * in good standing would else send it to and fro.
 *
 * @returns bytes that were moved; undefined when nothing was, because the stripe is not whole or nothing belongs elsewhere
 * @throws StorageError as the target says
 */
export async function moveDisplaced(
  id: StripeId,
  parts: RepairParts,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { network, view, resting, clock } = parts;
  const [record] = await network.catalog.stripes([id]);
  if (record === undefined) return undefined;
  const { lacking, leaving } = assess(record, view);
  const displaced = displacedChunk(record, view.candidates());
  if (displaced === undefined || lacking.length + leaving.length > 0) return undefined;
  const { index, from, to } = displaced;
  const receipt = record.placement[index]?.receipt;
  // A stamp that is a day ahead is of a clock that is wrong.
  const isRecent = receipt !== undefined && Math.abs(decodeReceipt(receipt.body).storedMs - clock()) < SURPLUS_AGE_MS;
  if (isRecent || (resting.get(to) ?? 0) > clock()) return undefined;
  const { holders } = await askAround(record, parts, signal);
  const isWhole = record.placement.every((held, at) =>
    holders.some((holder) => holder.index === at && holder.peer === held?.peer),
  );
  const chunk = record.chunks[index];
  if (!isWhole || chunk === undefined) return undefined;
  // It takes no second chunk of a stripe, and has one that it will drop in time.
  if (holders.some((holder) => holder.index !== index && holder.peer === to)) return undefined;
  const hasAlready = holders.some((holder) => holder.index === index && holder.peer === to);
  try {
    const signed = await network.pull(to, { chunk, label: record.label, source: from }, { signal });
    await network.catalog.moveChunks([{ stripe: id, chunk, receipt: signed }]);
  } catch (error) {
    signal.throwIfAborted();
    restAfter(wrapError(error, 'Moving a chunk').code, to, parts);
    throw error;
  }
  return hasAlready ? 0 : record.chunkBytes;
}
