import type { FreedStripe, Session } from '../../catalog/catalog.js';
import type { PeerId, StripeId } from '../../chunk/ids.js';
import { GARBAGE_AGE_MS, HOMES_RETRY_MS, MANY_STRAYS, MANY_STRAYS_SHARE, STRAYS_PER_SWEEP } from '../../limits.js';
import type { Stray, Watch } from '../../store/stray-book.js';
import type { Engine } from '../engine.js';
import { freeStripes, unreferencedOf } from '../remove.js';
import { askHomes, heldHere } from './homes.js';

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
  /** Homes whose word is lacking. */
  readonly awaited: readonly PeerId[];
}

const NOTHING: Swept = { chunks: 0, bytes: 0, awaited: [] };

/**
 * Begins the deletion of strays, when it is certain that nothing refers to them: two listings GARBAGE_AGE_MS apart had
 * them, the homes of the user are the same for as long, all of them have said that they hold nothing back, and all that they
 * wrote is in the catalog here, which is whole and refers to none of it. Some at a time.
 */
export function sweepStrays(engine: Engine, session: Session, options: SweepOptions): Promise<Swept> {
  return engine.strays.inTurn(() => sweep(engine, session, options));
}

async function sweep(engine: Engine, session: Session, options: SweepOptions): Promise<Swept> {
  const { strays } = engine;
  const { user } = session;
  const watch = await watchOf(engine, session);
  if (watch.nextMs > strays.nowMs && options.now !== true) return NOTHING;
  if (strays.counts(user).strays === 0) return NOTHING;
  if (options.old !== true && looksLost(engine, session)) return wait(engine, session, []);
  const ripe = strays.ripe(user, { graceMs: GARBAGE_AGE_MS, old: options.old === true, limit: STRAYS_PER_SWEEP });
  // Who is no home any more may have had files that can be recovered only from what lies here.
  if (ripe.length === 0 || strays.nowMs - watch.homesMs < GARBAGE_AGE_MS) return wait(engine, session, []);
  // What was written under former keys may not all be in the catalog yet.
  if ((await engine.catalog.keyRotation(session)).state !== 'none') return wait(engine, session, []);
  const asked = [...new Set(ripe.map(({ stripe }) => stripe))];
  const { held, awaited } = await askHomes(engine, session, asked, options.signal);
  if (awaited.length > 0) return wait(engine, session, awaited);
  const isHeld = heldHere(engine, user);
  const loose = asked.filter((stripe) => !held.has(stripe) && !isHeld(stripe));
  const unreferenced = await unreferencedOf(engine, session, loose);
  if (unreferenced === undefined) return wait(engine, session, []);
  const free = new Set(unreferenced);
  const swept = ripe.filter(({ stripe }) => free.has(stripe));
  await freeStripes(engine, session, await placesOf(engine, session, swept));
  await strays.drop(user, unreferenced);
  const bytes = swept.reduce((sum, stray) => sum + stray.bytes, 0);
  if (swept.length > 0) {
    const { garbage } = engine.telemetry.counts;
    garbage.chunks += swept.length;
    garbage.bytes += bytes;
    engine.logger.info({ user, chunks: swept.length, bytes }, 'chunks that no file refers to are deleted');
  }
  await strays.wait(user, [], free.size === asked.length ? 0 : strays.nowMs + HOMES_RETRY_MS);
  return { chunks: swept.length, bytes, awaited: [] };
}

/** So much that the catalog may be an old one, of which nobody knows: then the owner has to say so. */
export function looksLost({ strays: book }: Pick<Engine, 'strays'>, { user }: Pick<Session, 'user'>): boolean {
  const { chunks, strays } = book.counts(user);
  return strays > Math.max(MANY_STRAYS, MANY_STRAYS_SHARE * chunks);
}

/** Who the members and homes are now. */
async function watchOf({ book, catalog, strays }: Engine, { user }: Session): Promise<Watch> {
  const members = book.list().filter(({ state }) => state !== 'removed');
  const homes = (await catalog.homes()).filter((home) => home.user === user).map(({ peer }) => peer);
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
