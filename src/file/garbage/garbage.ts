import type { Session } from '../../catalog/catalog.js';
import type { PeerId } from '../../chunk/ids.js';
import { type StorageError, wrapError } from '../../errors.js';
import { INVENTORY_INTERVAL_MS, INVENTORY_RETRY_MS } from '../../limits.js';
import type { Inventory } from '../../store/stray-book.js';
import type { Engine } from '../engine.js';
import { deliverDeletes } from '../remove.js';
import { listNextPage } from './list-peer.js';
import { type Swept, sweepStrays } from './sweep.js';

/**
 * One step of looking for what lies at peers and no file refers to: a page of one peer's inventory, each peer once a day, and
 * the deletion of what has been found for long enough.
 */
export async function collectGarbage(engine: Engine, session: Session, signal: AbortSignal): Promise<void> {
  const peer = nextPeer(engine, session);
  if (peer !== undefined) {
    try {
      await listNextPage(engine, session, peer, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { code } = wrapError(error, 'Listing the chunks of a peer');
      engine.logger.debug({ peer, code }, 'a peer did not list what it holds; it is asked again');
    }
  }
  await sweepStrays(engine, session, { signal });
}

/** Whose listing goes on, or is due; of several, who holds the least comes first. */
function nextPeer({ book, strays }: Engine, { user }: Session): PeerId | undefined {
  const known = new Map(strays.inventories(user).map((one) => [one.peer, one]));
  const members = book.list().filter(({ state }) => state !== 'removed');
  const due = members.map(({ id }) => ({ id, told: known.get(id) })).filter(({ told }) => isDue(told, strays.nowMs));
  due.sort(
    (a, b) => Number(b.told?.begun ?? false) - Number(a.told?.begun ?? false) || sizeOf(a.told) - sizeOf(b.told),
  );
  return due[0]?.id;
}

function sizeOf(told: Inventory | undefined): number {
  return told?.chunks ?? 0;
}

/** A clock that was put back makes it due, too: else nothing would be listed until it has caught up. */
function isDue(told: Inventory | undefined, nowMs: number): boolean {
  if (told === undefined) return true;
  const [sinceTried, sinceListed] = [Math.abs(nowMs - told.triedMs), Math.abs(nowMs - told.listedMs)];
  if (told.failure !== '') return sinceTried >= INVENTORY_RETRY_MS;
  return told.begun || sinceListed >= INVENTORY_INTERVAL_MS;
}

/** What a peer told when all were asked at once. */
export interface ListedPeer {
  readonly peer: PeerId;
  readonly name: string;
  readonly chunks: number;
  readonly bytes: number;
  /** Why it told no more. */
  readonly failure?: StorageError;
}

export interface CollectNowOptions {
  readonly signal: AbortSignal;
  /** Also what was there before this peer watched. */
  readonly old: boolean;
  readonly onPeer: (told: ListedPeer) => void;
}

/**
 * Lists what every member holds, one after the other, then deletes what may be deleted, as far as the peers answer.
 *
 * @throws StorageError LOCKED; `signal.reason` on abort
 */
export async function collectGarbageNow(
  engine: Engine,
  session: Session,
  { signal, old, onPeer }: CollectNowOptions,
): Promise<Swept> {
  for (const { id, name, state } of engine.book.list()) {
    if (state !== 'removed') onPeer({ peer: id, name, ...(await listAll(engine, session, id, signal)) });
  }
  let [chunks, bytes] = [0, 0];
  for (;;) {
    const swept = await sweepStrays(engine, session, { signal, old, now: true });
    chunks += swept.chunks;
    bytes += swept.bytes;
    if (swept.chunks === 0) {
      await deliverDeletes(engine, session, signal);
      return { chunks, bytes, awaited: swept.awaited };
    }
  }
}

async function listAll(
  engine: Engine,
  session: Session,
  peer: PeerId,
  signal: AbortSignal,
): Promise<Omit<ListedPeer, 'peer' | 'name'>> {
  const told = (): Omit<ListedPeer, 'peer' | 'name'> => {
    const found = engine.strays.inventories(session.user).find((one) => one.peer === peer);
    return { chunks: found?.chunks ?? 0, bytes: found?.bytes ?? 0 };
  };
  try {
    while (!(await listNextPage(engine, session, peer, signal)));
    return told();
  } catch (error) {
    signal.throwIfAborted();
    return { ...told(), failure: wrapError(error, 'Listing the chunks of a peer') };
  }
}
