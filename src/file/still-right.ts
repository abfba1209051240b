import type { Session, StripeRecord } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import { wrapError } from '../errors.js';
import type { DeleteBatch, PendingDelete } from '../store/outbox.js';
import type { Engine } from './engine.js';
import { heldAmong } from './garbage/homes.js';

/** wait: it cannot be told now. */
type Verdict = 'send' | 'drop' | 'wait';

/**
 * Gives up deletes that are wrong by now, and puts off those of which that cannot be told: one may wait for its peer for long,
 * and meanwhile a home of the user that nobody waited for any more may have restored a version, or a repair have brought a
 * chunk to where only a copy too many lay.
 *
 * @returns those that may be sent
 */
export async function stillRight(
  engine: Engine,
  session: Session,
  batches: readonly DeleteBatch[],
): Promise<readonly DeleteBatch[]> {
  const deletes = batches.flatMap((batch) => batch.deletes);
  const judge = await judgeOf(engine, session, deletes);
  const verdicts = new Map(deletes.map((one) => [one, judge(one)]));
  const dropped = deletes.filter((one) => verdicts.get(one) === 'drop');
  await engine.outbox.postpone(deletes.filter((one) => verdicts.get(one) === 'wait'));
  await engine.outbox.keep(dropped.filter(stays));
  await engine.outbox.recall([...new Set(dropped.filter((one) => !stays(one)).map(({ stripe }) => stripe))]);
  return batches
    .map((batch) => ({ ...batch, deletes: batch.deletes.filter((one) => verdicts.get(one) === 'send') }))
    .filter((batch) => batch.deletes.length > 0);
}

function stays(one: PendingDelete): boolean {
  return one.stays === true;
}

async function judgeOf(
  engine: Engine,
  session: Session,
  deletes: readonly PendingDelete[],
): Promise<(one: PendingDelete) => Verdict> {
  const stripes = [...new Set(deletes.map(({ stripe }) => stripe))];
  const staying = [...new Set(deletes.filter(stays).map(({ stripe }) => stripe))];
  const held = heldAmong(engine, staying);
  const known = await unreferencedOf(engine, session, stripes);
  const free = known && new Set(known);
  const records = await recordsOf(engine, staying);
  return (one) => {
    const isFree = free?.has(one.stripe);
    if (!stays(one)) return isFree === undefined ? 'wait' : isFree ? 'send' : 'drop';
    const record = records?.get(one.stripe);
    if (record?.owner === session.user) return verdictOf(one, record);
    // Of an upload that goes on the record is yet to come; of one that was given up it never does.
    return records !== undefined && isFree === true && !held.has(one.stripe) ? 'send' : 'wait';
  };
}

/** Where the record has the chunk nowhere, this may be the last copy. */
function verdictOf({ peer, chunk }: PendingDelete, { chunks, placement }: StripeRecord): Verdict {
  const place = placement[chunks.indexOf(chunk)];
  return place === undefined || place.peer === peer ? 'drop' : 'send';
}

/** Undefined while that cannot be told: then they are looked at again later. */
export async function unreferencedOf(
  engine: Engine,
  session: Session,
  stripes: readonly StripeId[],
): Promise<readonly StripeId[] | undefined> {
  if (stripes.length === 0) return [];
  try {
    return await engine.catalog.unreferenced(session, stripes);
  } catch (error) {
    const { code } = wrapError(error, 'Looking for what refers to stripes');
    engine.logger.debug({ code, stripes: stripes.length }, 'what is to be deleted waits until the catalog is whole');
    return undefined;
  }
}

async function recordsOf(
  { catalog, logger }: Engine,
  stripes: readonly StripeId[],
): Promise<ReadonlyMap<StripeId, StripeRecord> | undefined> {
  if (stripes.length === 0) return new Map();
  try {
    const records = await catalog.stripes(stripes);
    return new Map(records.flatMap((record) => (record === undefined ? [] : [[record.id, record]])));
  } catch (error) {
    const { code } = wrapError(error, 'Looking for the records of stripes');
    logger.debug({ code, stripes: stripes.length }, 'what lies where it should not waits until records can be read');
    return undefined;
  }
}
