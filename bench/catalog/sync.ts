import { setTimeout as sleep } from 'node:timers/promises';
import { userDatabase } from '../../src/chunk/database-names.js';
import type { Catalog, Session } from '../../src/catalog/catalog.js';
import type { Direction, StreamState } from '../../src/documents/replication/stream.js';
import { assert, StorageError } from '../../src/errors.js';
import { median } from '../measure/median.js';
import type { PeerServices } from './peer-services.js';
import type { Rate } from './result.js';
import { smallFile, type Samples } from './samples.js';

/** Far above what a million documents take. */
const SYNC_TIMEOUT_MS = 1_800_000;
const STATE_POLL_MS = 20;
const ENTRY_POLL_MS = 2;
const CHANGES = 5;

export interface SyncWatch {
  readonly services: PeerServices;
  readonly session: Session;
  readonly direction: Direction;
  /** Documents that the target lacks. */
  readonly documents: number;
  readonly cpuSeconds: () => number;
  readonly signal: AbortSignal;
}

/** From the first sign of copying until all is there. What comes before is waiting: for a connection, for the database. */
export async function initialSync(watch: SyncWatch): Promise<Rate> {
  const { documents, cpuSeconds } = watch;
  await reached(watch, ({ phase, written }) => phase === 'copying' || written > 0);
  const cpuBefore = cpuSeconds();
  const started = performance.now();
  await reached(watch, ({ phase, written }) => phase === 'waiting' && written >= documents);
  const seconds = (performance.now() - started) / 1000;
  return { count: documents, seconds, cpuSeconds: cpuSeconds() - cpuBefore };
}

async function reached(
  { services, session, direction, signal }: SyncWatch,
  isThere: (state: StreamState) => boolean,
): Promise<void> {
  for (const deadline = performance.now() + SYNC_TIMEOUT_MS; performance.now() < deadline;) {
    signal.throwIfAborted();
    const state = await services.stream(session, direction);
    if (state !== undefined && isThere(state)) return;
    await sleep(STATE_POLL_MS);
  }
  throw new StorageError('TIMEOUT', `The catalog was not synced within ${String(SYNC_TIMEOUT_MS / 1000)} s.`);
}

export async function countDocuments(services: PeerServices, session: Session): Promise<number> {
  await using database = await services.host.open(userDatabase(session.user, session.generation));
  let documents = 0;
  for await (const page of database.ids('')) documents += page.length;
  return documents;
}

/** A catalog that is unlocked. */
export interface Side {
  readonly catalog: Catalog;
  readonly session: Session;
}

/**
 * How long a file that is committed at one side takes to be seen at the other, in milliseconds: the median of a few.
 *
 * @param folder a new one
 */
export async function changeMs(
  { from, samples, to }: { readonly from: Side; readonly samples: Samples; readonly to: Side },
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  const [stripe] = await samples.stripes(1);
  assert(stripe !== undefined, 'a stripe');
  const runs: number[] = [];
  // The first finds connections and the folder not made yet.
  for (let run = 0; run <= CHANGES; run++) {
    const path = `${folder}/change-${String(run)}`;
    const started = performance.now();
    await from.catalog.commit(from.session, [smallFile(path, stripe.id, run)]);
    await seen(to, path, signal);
    if (run > 0) runs.push(performance.now() - started);
  }
  return median(runs);
}

async function seen({ catalog, session }: Side, path: string, signal: AbortSignal): Promise<void> {
  for (const deadline = performance.now() + SYNC_TIMEOUT_MS; performance.now() < deadline;) {
    signal.throwIfAborted();
    try {
      await catalog.stat(session, path);
      return;
    } catch (error) {
      if (!StorageError.is(error, 'NOT_FOUND')) throw error;
    }
    await sleep(ENTRY_POLL_MS);
  }
  throw new StorageError('TIMEOUT', `${path} did not arrive within ${String(SYNC_TIMEOUT_MS / 1000)} s.`);
}
