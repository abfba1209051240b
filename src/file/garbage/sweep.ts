import type { FreedStripe, Session } from '../../catalog/catalog.js';
import type { PeerId, StripeId } from '../../chunk/ids.js';
import {
  GARBAGE_AGE_MS,
  GARBAGE_LISTINGS,
  HOMES_RETRY_MS,
  MANY_STRAYS,
  MANY_STRAYS_SHARE,
  STRAYS_PER_SWEEP,
} from '../../limits.js';
import type { Stray, Watch } from '../../store/stray-book.js';
import type { Engine } from '../engine.js';
import { freeStripes } from '../remove.js';
import { unreferencedOf } from '../still-right.js';
import { askHomes, heldAmong, homesOf } from './homes.js';

export interface SweepOptions {
  readonly signal: AbortSignal;
  /** Also of stripes that were there before this peer watched, and however many: nobody knows where they come from. */
  readonly old?: boolean;
  /** Though it is not time yet to ask the homes again. */
  readonly now?: boolean;
}

export interface Swept {
  readonly chunks: number;
  readonly bytes: number;
  /** Members whose word is lacking. */
  readonly awaited: readonly PeerId[];
}

const NOTHING: Swept = { chunks: 0, bytes: 0, awaited: [] };

/**
 * Begins the deletion of strays, when it is certain that nothing refers to them: GARBAGE_LISTINGS had them, two of them
 * GARBAGE_AGE_MS apart, the homes of the user are the same for as long, all members have said that they hold nothing back, and
 * all that they wrote is in the catalog here, which is whole and refers to none of it. Some at a time.
 */
export function sweepStrays(engine: Engine, session: Session, options: SweepOptions): Promise<Swept> {
  return engine.strays.inTurn(() => sweep(engine, session, options));
}

async function sweep(engine: Engine, session: Session, options: SweepOptions): Promise<Swept> {
  const { strays } = engine;
  const { user } = session;
  // A home that is recorded only from now on is a member by now, and asked as such.
  const homes = await homesOf(engine.catalog, user);
  const watch = await watchOf(engine, session, homes);
  // Later than that is never noted: a clock was put back.
  const restMs = watch.nextMs - strays.nowMs;
  if (restMs > 0 && restMs <= HOMES_RETRY_MS && options.now !== true) return NOTHING;
  if (strays.counts(user).strays === 0) return NOTHING;
  if (options.old !== true && looksLost(engine, session)) return wait(engine, session, []);
  // Who is no home any more may have had files that can be recovered only from what lies here.
  if (strays.nowMs - watch.homesMs < GARBAGE_AGE_MS) return wait(engine, session, []);
  // What was written under former keys may not all be in the catalog yet.
  if ((await engine.catalog.keyRotation(session)).state !== 'none') return wait(engine, session, []);
  let after: StripeId | undefined;
  for (;;) {
    const ripe = nextRipe(engine, session, { old: options.old === true, after });
    const last = ripe.at(-1);
    if (last === undefined) return wait(engine, session, []);
    const stripes = [...new Set(ripe.map(({ stripe }) => stripe))];
    const { free, awaited } = await freeAmong(engine, session, { stripes, homes }, options.signal);
    if (free === undefined) return wait(engine, session, awaited);
    const swept = ripe.filter(({ stripe }) => free.has(stripe));
    // Uploads may hold all of these back for long; what is behind them must not wait for that.
    if (swept.length > 0) return begin(engine, session, swept, free.size === stripes.length);
    after = last.stripe;
  }
}

function nextRipe(
  { strays }: Engine,
  { user }: Session,
  which: { readonly old: boolean; readonly after: StripeId | undefined },
): readonly Stray[] {
  const grace = { graceMs: GARBAGE_AGE_MS, listings: GARBAGE_LISTINGS };
  return strays.ripe(user, { ...grace, ...which, limit: STRAYS_PER_SWEEP });
}

/** Those of which it is certain that nothing refers to them; undefined while that cannot be told. */
async function freeAmong(
  engine: Engine,
  session: Session,
  asked: { readonly stripes: readonly StripeId[]; readonly homes: readonly PeerId[] },
  signal: AbortSignal,
): Promise<{ readonly free: ReadonlySet<StripeId> | undefined; readonly awaited: readonly PeerId[] }> {
  const { held, awaited } = await askHomes(engine, session, asked, signal);
  if (awaited.length > 0) return { free: undefined, awaited };
  const own = heldAmong(engine, asked.stripes);
  const loose = asked.stripes.filter((stripe) => !held.has(stripe) && !own.has(stripe));
  const unreferenced = await unreferencedOf(engine, session, loose);
  return { free: unreferenced && new Set(unreferenced), awaited };
}

/** @param all none of those that were looked at was held back: the next ones may be looked at at once */
async function begin(engine: Engine, session: Session, swept: readonly Stray[], all: boolean): Promise<Swept> {
  const { strays, telemetry, logger } = engine;
  const { user } = session;
  await freeStripes(engine, session, await placesOf(engine, session, swept));
  await strays.drop(user, swept);
  const bytes = swept.reduce((sum, stray) => sum + stray.bytes, 0);
  telemetry.counts.garbage.chunks += swept.length;
  telemetry.counts.garbage.bytes += bytes;
  logger.info({ user, chunks: swept.length, bytes }, 'the deletion of chunks that no file refers to has begun');
  await strays.wait(user, [], all ? 0 : strays.nowMs + HOMES_RETRY_MS);
  return { chunks: swept.length, bytes, awaited: [] };
}

/** So much that the catalog may be an old one, of which nobody knows: then the owner has to say so. */
export function looksLost({ strays: book }: Pick<Engine, 'strays'>, { user }: Pick<Session, 'user'>): boolean {
  const { chunks, strays } = book.counts(user);
  return strays > Math.max(MANY_STRAYS, MANY_STRAYS_SHARE * chunks);
}

/** Who the members and homes are now. */
function watchOf({ book, strays }: Engine, { user }: Session, homes: readonly PeerId[]): Promise<Watch> {
  const members = book.list().filter(({ state }) => state !== 'removed');
  return strays.watch(
    user,
    members.map(({ id }) => id),
    homes,
  );
}

async function wait({ strays }: Engine, { user }: Session, awaited: readonly PeerId[]): Promise<Swept> {
  await strays.wait(user, awaited, strays.nowMs + HOMES_RETRY_MS);
  return { ...NOTHING, awaited };
}

/** Where the strays lie, and wherever else the records have chunks of their stripes. */
async function placesOf({ catalog }: Engine, { user }: Session, strays: readonly Stray[]): Promise<FreedStripe[]> {
  const places = new Map<StripeId, Map<string, FreedStripe['chunks'][number]>>();
  const add = (stripe: StripeId, chunk: FreedStripe['chunks'][number]): void => {
    const of = places.get(stripe) ?? new Map<string, FreedStripe['chunks'][number]>();
    places.set(stripe, of.set(`${chunk.peer} ${chunk.id}`, chunk));
  };
  for (const { stripe, chunk, peer } of strays) add(stripe, { id: chunk, peer });
  for (const record of await catalog.stripes([...places.keys()])) {
    if (record?.owner !== user) continue;
    for (const [index, place] of record.placement.entries()) {
      const id = record.chunks[index];
      if (place !== undefined && id !== undefined) add(record.id, { id, peer: place.peer });
    }
  }
  return [...places].map(([stripe, chunks]) => ({ stripe, chunks: [...chunks.values()] }));
}
