import { join } from 'node:path';
import { NetworkDocuments } from '../catalog/records/network-documents.js';
import { RecordProblems } from '../catalog/records/record-problems.js';
import type { Config } from '../config.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import { Links } from '../gateways/web/links.js';
import { readIdentity, type PeerIdentity } from '../home.js';
import { openLogger, type Logger } from '../log.js';
import { socketPath } from '../socket-path.js';
import { silentTelemetry, type Telemetry } from '../telemetry.js';

/** What every service of a peer begins with. */
export interface Base {
  readonly config: Config;
  readonly identity: PeerIdentity;
  readonly logger: Logger;
  /** Of this process. */
  readonly telemetry: Telemetry;
  /** Unix time in milliseconds. */
  readonly clock: () => number;
  /** Aborted when what is being opened is not wanted any more. */
  readonly signal: AbortSignal;
  /** One-time links into the web UI. */
  readonly links: Links;
}

/** What a peer may be given instead of making it itself: tests and other programs. */
export interface PeerOptions {
  readonly logger?: Logger;
  readonly telemetry?: Telemetry;
  /** Unix time in milliseconds, for whatever waits here and for who was heard of lately. */
  readonly clock?: () => number;
  /** Of the service front: nginx instead of the built-in one, see FrontChoice. */
  readonly nginx?: string | true;
  /** One-time links into the web UI that were made already. */
  readonly links?: Links;
  /** Ends the wait for other processes of this peer. */
  readonly signal?: AbortSignal;
}

/** @throws StorageError NOT_FOUND where no peer was made */
export async function openBase(config: Config, options: PeerOptions = {}): Promise<Base> {
  const identity = await readIdentity(config.home);
  const logger = options.logger ?? openLogger(config.log, { peer: identity.id.slice(0, 12) });
  const { clock = Date.now, signal = new AbortController().signal } = options;
  return {
    config,
    identity,
    logger,
    telemetry: options.telemetry ?? silentTelemetry(),
    clock,
    signal,
    links: options.links ?? new Links(clock),
  };
}

/** Where the service `name` of this peer listens, and the secret that lets into it. */
export function serviceAddress(home: string, name: string): { readonly socket: string; readonly secretFile: string } {
  return { socket: socketPath(home, name), secretFile: join(home, `${name}.secret`) };
}

/** The network's records as a database has them, for a service that only looks: the DB Service mends and remembers. */
export function readRecords({ identity, logger, clock }: Base, database: DocumentDatabase): NetworkDocuments {
  const problems = new RecordProblems(logger);
  return new NetworkDocuments({ membership: identity.membership, memory: undefined, problems, now: clock, database });
}
