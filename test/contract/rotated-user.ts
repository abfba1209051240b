/** For tests: a user whose keys are rotated once, at peers whose databases are in memory. */
import type { PeerId } from '../../src/chunk/ids.js';
import { userDatabase } from '../../src/chunk/database-names.js';
import { KeyRing } from '../../src/catalog/users/key-ring.js';
import { OpenUser } from '../../src/catalog/users/open-user.js';
import { UserGenerations } from '../../src/catalog/users/user-generations.js';
import type { Document } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import { sampleStripe } from './catalog-samples.js';
import { noHeads, rotatedAccount, sampleAccount, samplePeer, type SampleAccount } from './catalog-users.js';
import type { MemoryHomes } from './memory-homes.js';
import type { MemoryHost } from './memory-host.js';

export const [one, two] = [samplePeer(1), samplePeer(2)];
export const first = sampleAccount();
export const { owner } = first.user;
export const second = rotatedAccount(first, one);
export const stripe = sampleStripe(owner);

/** @param homes where the user is at home */
export async function openAt(
  homes: MemoryHomes,
  host: MemoryHost,
  { user, rootKey }: SampleAccount,
  peer: PeerId = one,
): Promise<OpenUser> {
  const logger = silentLogger();
  const generations = new UserGenerations({
    ...{ user: owner, host, peer, peerName: 'attic', logger, now: () => 1_700_000_000_000 },
    homes: async () => [...homes.words.keys()],
    heads: noHeads(logger),
  });
  const ring = KeyRing.open(user, rootKey);
  const opened = await OpenUser.open({ user, ring, peer, logger, generations, home: homes.at(peer) });
  await opened.arrive();
  return opened;
}

export async function paths(user: OpenUser): Promise<string[]> {
  return user.with((catalog) => catalog.list('/', true).map(({ path }) => path));
}

/** Gives the user new keys while the catalog is open, as UserAccess does. */
export function renew(user: OpenUser, account: SampleAccount): void {
  user.renew(account.user, KeyRing.open(account.user, account.rootKey));
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when nothing is left of a rotation. */
export function settled(user: OpenUser): Promise<void> {
  return until(() => user.rotation.state === 'none');
}

/** Resolves when former generations are gone. */
export function onlyNewest(host: MemoryHost): Promise<void> {
  return until(() => [...host.databases.keys()].join() === userDatabase(owner, 2));
}

export function databaseOf(host: MemoryHost, generation: number): ReadonlyMap<string, Document> {
  return host.databases.get(userDatabase(owner, generation))?.documents ?? new Map();
}
