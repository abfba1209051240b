import type { UserSummary } from '../../catalog/catalog.js';
import { readUser, type UserDocument } from '../../catalog/users/user-document.js';
import type { PeerId, UserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { AskedOwner } from '../../wire/get-owner.js';
import type { Engine } from '../engine.js';

interface Candidate {
  readonly user: UserDocument;
  readonly signed: Uint8Array;
  /** Who has this user at all, in whatever version. */
  readonly peers: readonly PeerId[];
}

/**
 * Makes a user known at this peer, in the newest version that any peer remembers. Whatever a peer sends has to be signed
 * by the user; what it can do is keep a newer version back, or offer somebody else of the same name.
 *
 * @throws StorageError NOT_FOUND when nobody knows the user; CONFLICT when a name stands for several
 */
export async function adoptOwner(engine: Engine, asked: AskedOwner, signal: AbortSignal): Promise<UserSummary> {
  const candidates = await askPeers(engine, asked, signal);
  const known = (await engine.catalog.users()).find((user) => isAsked(user, asked));
  const chosen = choose(candidates, asked, known?.id);
  if (chosen !== undefined) return await engine.catalog.importUser(chosen.signed);
  if (known !== undefined) return known;
  const who = 'name' in asked ? `"${asked.name}"` : `${asked.owner.slice(0, 12)}…`;
  throw new StorageError(
    'NOT_FOUND',
    `No peer that answers remembers a user ${who}. Start more peers, and look at how the name is written.`,
  );
}

function isAsked(user: { readonly id: UserId; readonly name: string }, asked: AskedOwner): boolean {
  return 'owner' in asked ? user.id === asked.owner : user.name === asked.name;
}

async function askPeers(engine: Engine, asked: AskedOwner, signal: AbortSignal): Promise<Candidate[]> {
  const others = engine.book.list().filter(({ id, state }) => id !== engine.self && state !== 'removed');
  const candidates = new Map<UserId, Candidate>();
  await Promise.all(
    others.map(async ({ id }) => {
      for (const signed of await ask(engine, id, asked, signal)) {
        const user = readOrPass(signed);
        if (user === undefined || !isAsked({ id: user.owner, name: user.name }, asked)) continue;
        const other = candidates.get(user.owner);
        const peers = [...(other?.peers ?? []).filter((peer) => peer !== id), id];
        const newer = other === undefined || user.version > other.user.version;
        candidates.set(user.owner, newer ? { user, signed, peers } : { ...other, peers });
      }
    }),
  );
  return [...candidates.values()];
}

/** A peer that does not answer, or does not know this call, knows nobody. */
async function ask(
  engine: Engine,
  peer: PeerId,
  asked: AskedOwner,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  try {
    return await engine.links.remote(peer).owners(asked, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!StorageError.is(error)) throw error;
    engine.logger.info({ peer, code: error.code }, 'a peer told nothing of the user');
    return [];
  }
}

function readOrPass(signed: Uint8Array): UserDocument | undefined {
  try {
    return readUser(signed);
  } catch (error) {
    if (StorageError.is(error)) return undefined;
    throw error;
  }
}

function choose(candidates: readonly Candidate[], asked: AskedOwner, known: UserId | undefined): Candidate | undefined {
  const [first, second] = candidates;
  if (known !== undefined) return candidates.find(({ user }) => user.owner === known);
  if (first === undefined || second === undefined) return first;
  const list = candidates
    .toSorted((a, b) => b.peers.length - a.peers.length)
    .map(({ user, peers }) => `${user.owner} (at ${String(peers.length)} peers)`);
  const name = 'name' in asked ? asked.name : '';
  throw new StorageError(
    'CONFLICT',
    `The peers know several users "${name}": ${list.join(', ')}. Choose yours with --id.`,
  );
}
