import { join } from 'node:path';
import { NetworkDocuments } from '../catalog/records/network-documents.js';
import { RecordProblems } from '../catalog/records/record-problems.js';
import type { Config } from '../config.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import { HOME, readIdentity, type PeerIdentity } from '../home.js';
import { openLogger, type Logger } from '../log.js';
import { socketPath } from '../socket-path.js';
import { RecordMemory } from '../store/record-memory.js';
import type { Opened } from './opened.js';

/** What every service of a peer begins with. */
export interface Base {
  readonly config: Config;
  readonly identity: PeerIdentity;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly clock: () => number;
}

/** What a peer may be given instead of making it itself: tests and other programs. */
export interface PeerOptions {
  readonly logger?: Logger;
  /** Unix time in milliseconds, for whatever waits here and for who was heard of lately. */
  readonly clock?: () => number;
}

/** @throws StorageError NOT_FOUND where no peer was made */
export async function openBase(config: Config, options: PeerOptions = {}): Promise<Base> {
  const identity = await readIdentity(config.home);
  const logger = options.logger ?? openLogger(config.log, { peer: identity.id.slice(0, 12) });
  return { config, identity, logger, clock: options.clock ?? Date.now };
}

/** Where the service `name` of this peer listens, and the secret that lets into it. */
export function serviceAddress(home: string, name: string): { readonly socket: string; readonly secretFile: string } {
  return { socket: socketPath(home, name), secretFile: join(home, `${name}.secret`) };
}

/** How a service reads the network's records from a database. What it has believed it remembers in a folder of its own. */
export async function recordReader(
  { config, identity, logger, clock }: Base,
  service: string,
  opened: Opened,
): Promise<(database: DocumentDatabase) => NetworkDocuments> {
  const memory = opened.keep(await RecordMemory.open(join(config.home, HOME.state, service)));
  const problems = new RecordProblems(logger);
  const parts = { membership: identity.membership, memory, problems, now: clock };
  return (database) => new NetworkDocuments({ ...parts, database });
}
