import type { Catalog, Session } from '../../catalog/catalog.js';
import type { PeerId, StripeId } from '../../chunk/ids.js';
import { encodeInventoryOrder } from '../../chunk/inventory-order.js';
import { StorageError, wrapError } from '../../errors.js';
import { HOME_ANSWER_TIMEOUT_MS } from '../../limits.js';
import { timeLimit } from '../../time-limit.js';
import type { HomeAnswer, HomeLookup } from '../../wire/ask-home.js';
import type { Engine } from '../engine.js';

/** What all homes of a user say of stripes. */
export interface HomesWord {
  /** Those into which a put, or an upload, may still bring a file. */
  readonly held: ReadonlySet<StripeId>;
  /** Members that did not answer, or have written what has not come yet. */
  readonly awaited: readonly PeerId[];
}

/**
 * What this peer says of stripes when another home of their owner asks. First what it holds back, then how far what it wrote
 * goes: a put that ends in between is either held, or among what was written.
 *
 * @throws StorageError UNAVAILABLE where the user is at home and this peer has lost how far it has written
 */
export function homeLookup(engine: Pick<Engine, 'self' | 'catalog' | 'outbox' | 'pinned'>): HomeLookup {
  const { self, catalog, outbox, pinned } = engine;
  return async ({ owner, stripes, caller }) => {
    const held = heldAmong({ outbox, pinned }, stripes);
    const heads = await catalog.heads(owner);
    if (heads.length === 0 && (await homesOf(catalog, owner)).includes(self)) {
      throw new StorageError('UNAVAILABLE', 'Unlock the user here first.');
    }
    const written = new Map(heads.map((head) => [head.peer, head.written]));
    return { held, counter: written.get(self) ?? 0, callerCounter: written.get(caller) ?? 0 };
  };
}

/**
 * Those that puts under way, drafts, and puts that ended and were not settled hold back at this moment. To be asked for before
 * the catalog is: a put that ends in between is either held, or what it wrote is seen.
 */
export function heldAmong(
  { outbox, pinned }: Pick<Engine, 'outbox' | 'pinned'>,
  stripes: Iterable<StripeId>,
): ReadonlySet<StripeId> {
  return new Set([...stripes].filter((stripe) => pinned.has(stripe) || outbox.isIntended(stripe)));
}

/** The peers that are recorded as homes of a user. */
export async function homesOf(catalog: Pick<Catalog, 'homes'>, owner: Session['user']): Promise<readonly PeerId[]> {
  return (await catalog.homes()).filter(({ user }) => user === owner).map(({ peer }) => peer);
}

/**
 * Asks every member, and waits for each: a home may be newer than its record. Afterwards all that a home has committed in these
 * stripes is in the catalog here, unless that home is awaited.
 *
 * @param asked homes: those that are recorded
 */
export async function askHomes(
  engine: Engine,
  session: Session,
  { stripes, homes }: { readonly stripes: readonly StripeId[]; readonly homes: readonly PeerId[] },
  signal: AbortSignal,
): Promise<HomesWord> {
  const { self, book, catalog } = engine;
  const members = book.list().filter(({ state }) => state !== 'removed');
  const others = new Set([...members.map(({ id }) => id), ...homes].filter((id) => id !== self));
  const answers = new Map<PeerId, HomeAnswer>();
  await Promise.all(
    [...others].map(async (peer) => {
      const answer = await ask(engine, session, { peer, stripes }, signal);
      if (answer !== undefined) answers.set(peer, answer);
    }),
  );
  // After the answers: what has come by now is all that they speak of.
  const come = new Map((await catalog.heads(session.user)).map((head) => [head.peer, head.come]));
  const hasCome = (peer: PeerId, counter: number): boolean => counter <= (come.get(peer) ?? 0);
  const behind = [...answers]
    .filter(([peer, { counter, callerCounter }]) => !hasCome(peer, counter) || !hasCome(self, callerCounter))
    .map(([peer]) => peer);
  const silent = [...others].filter((peer) => !answers.has(peer));
  const held = new Set([...answers.values()].flatMap((answer) => [...answer.held]));
  return { held, awaited: [...behind, ...silent] };
}

async function ask(
  { self, catalog, links, logger }: Engine,
  session: Session,
  { peer, stripes }: { readonly peer: PeerId; readonly stripes: readonly StripeId[] },
  signal: AbortSignal,
): Promise<HomeAnswer | undefined> {
  using limit = timeLimit(HOME_ANSWER_TIMEOUT_MS, signal);
  try {
    const body = { owner: session.user, sourcePeer: self, targetPeer: peer, issuedMs: Date.now() };
    const order = await catalog.sign(session, 'inventory', encodeInventoryOrder(body));
    return await links.remote(peer).askHome({ order, stripes }, { signal: limit.signal });
  } catch (error) {
    signal.throwIfAborted();
    const { code } = wrapError(error, 'Asking a home');
    logger.debug({ peer, code }, 'a peer did not say what it holds back');
    return undefined;
  }
}
