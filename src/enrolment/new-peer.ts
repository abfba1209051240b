import { readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RecordProblems } from '../catalog/records/record-problems.js';
import type { Membership } from '../catalog/records/membership.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import { LevelHost } from '../documents/level-host.js';
import { StorageError, wrapError } from '../errors.js';
import { HOME } from '../home.js';
import type { Logger } from '../log.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { RecordMemory } from '../store/record-memory.js';
import { demandName, demandPlain } from './peer-name.js';
import { Roll } from './roll.js';

/** What people decide about a new peer. */
export interface NewPeer extends Pick<PeerProfile, 'name' | 'zone' | 'backup' | 'capacityBytes' | 'address'> {
  /** Where it listens, "host:port". */
  readonly listen: string;
}

/** What a peer says of itself, out of what was decided about it. @throws StorageError INVALID_ARGUMENT for names that are none */
export function profileOf({
  address,
  name,
  zone,
  backup,
  capacityBytes,
}: NewPeer): Omit<PeerProfile, 'id' | 'certificate'> {
  demandName(name);
  demandPlain('zone', zone);
  return { address, name, zone, backup, capacityBytes };
}

/** What a home's disk has left for chunks: the weight of a new peer where nobody says otherwise. Makes no folder. */
export async function roomIn(home: string, reserveBytes: number): Promise<number> {
  let folder = home;
  while ((await entriesOf(folder)) === undefined) folder = dirname(folder);
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.max(1, bavail * bsize - reserveBytes);
  } catch (error) {
    throw wrapError(error, `Looking at the disk of ${home}`);
  }
}

/** Does something to a home, or nothing: what was not there before is removed when it fails. */
export async function wholeOrNothing<T>(home: string, work: () => Promise<T>): Promise<T> {
  const before = await entriesOf(home);
  try {
    return await work();
  } catch (error) {
    for (const entry of (await entriesOf(home)) ?? []) {
      if (before?.includes(entry) !== true) await rm(join(home, entry), { recursive: true, force: true });
    }
    if (before === undefined) await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/** undefined where there is no folder. */
export async function entriesOf(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    const wrapped = wrapError(error, `Looking into ${folder}`);
    if (wrapped.code === 'NOT_FOUND') return undefined;
    throw wrapped;
  }
}

export interface HomeRollOptions {
  readonly home: string;
  readonly membership: Membership;
  readonly logger: Logger;
  /** Unix time. */
  readonly nowMs: () => number;
}

/**
 * Works with the records in a home whose peer does not run.
 *
 * @throws StorageError CONFLICT when it runs
 */
export async function withHomeRoll<T>(options: HomeRollOptions, work: (roll: Roll) => Promise<T>): Promise<T> {
  const { home, membership, logger, nowMs: now } = options;
  await using memory = await openMemory(home);
  await using host = await LevelHost.open({ directory: join(home, HOME.documents), logger });
  await using database = await host.open(NETWORK_DATABASE);
  return await work(new Roll({ database, membership, memory, problems: new RecordProblems(logger), now }));
}

/** @throws StorageError CONFLICT when the peer of this home runs */
export async function demandStopped(home: string): Promise<void> {
  await (await openMemory(home)).close();
}

async function openMemory(home: string): Promise<RecordMemory> {
  try {
    return await RecordMemory.open(join(home, HOME.state));
  } catch (error) {
    if (!StorageError.is(error, 'CONFLICT')) throw error;
    throw new StorageError('CONFLICT', `The peer of ${home} runs. Stop it first.`, { cause: error });
  }
}
