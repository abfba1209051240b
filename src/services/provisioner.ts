import type { NetworkDocuments } from '../catalog/records/network-documents.js';
import {
  couchUserName,
  NETWORK_DATABASE,
  parseUserDatabase,
  PEER_ROLE,
  STRIPES_DATABASE,
  userDatabase,
} from '../chunk/database-names.js';
import type { BackupDatabases } from '../documents/couch/backup-databases.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import type { SecurityPart } from '../documents/security.js';
import { MAX_PROVISIONED_DATABASES, PROVISION_PAUSE_MS, RETIRED_DATABASE_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { OnChanges } from './on-changes.js';

export interface ProvisionerOptions {
  readonly databases: BackupDatabases;
  /** The network's records, verified. */
  readonly records: Pick<NetworkDocuments, 'homes' | 'users'>;
  /** Their database: its changes say when to look again. */
  readonly network: Pick<DocumentDatabase, 'sequence' | 'changes'>;
  readonly logger: Logger;
  readonly nowMs?: () => number;
  /** How long the database of an older generation is kept, for peers that were away. Default RETIRED_DATABASE_MS. */
  readonly retiredMs?: number;
}

const EVERY_PEER: SecurityPart = { names: [], roles: [PEER_ROLE] };

/** Makes the databases of a backup host and says who may use them, as users and the network have signed it. */
export class Provisioner implements AsyncDisposable {
  readonly #options: ProvisionerOptions;
  /** Members of each database, as they were set, in JSON. */
  readonly #provided = new Map<string, string>();
  /** Since when a database is known to be of an older generation. */
  readonly #retired = new Map<string, number>();
  #users = '';
  readonly #running: OnChanges;

  /** Begins at once, and goes on with what changes. */
  constructor(options: ProvisionerOptions) {
    this.#options = options;
    this.#running = new OnChanges({
      database: options.network,
      work: () => this.#provision(),
      // Time retires databases too.
      pauseMs: PROVISION_PAUSE_MS,
      doing: 'Providing the databases of this backup host',
      logger: options.logger,
    });
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #provision(): Promise<void> {
    const { databases, records, nowMs = Date.now, retiredMs = RETIRED_DATABASE_MS, logger } = this.#options;
    await this.#provide(NETWORK_DATABASE, EVERY_PEER);
    await this.#provide(STRIPES_DATABASE, EVERY_PEER);
    const users = await records.users();
    const generations = new Map(users.map(({ user }) => [user.owner, user.generation]));
    const members = membersByDatabase(await records.homes(), generations);
    let room = MAX_PROVISIONED_DATABASES;
    for (const [name, names] of members) {
      room--;
      if (room === 0) logger.warn({ databases: members.size }, 'too many users for this backup host');
      if (room > 0) await this.#provide(name, { names, roles: [] });
    }
    for (const name of await databases.names()) {
      const parsed = parseUserDatabase(name);
      if (parsed === undefined || members.has(name)) continue;
      const current = generations.get(parsed.user);
      if (current === undefined || parsed.generation >= current) await this.#provide(name, { names: [], roles: [] });
      // A rotation of keys tells of itself before it writes anything: until then the former keys' is all that there is.
      else if (await databases.isFilled(userDatabase(parsed.user, current))) {
        await this.#retire(name, nowMs() - retiredMs, nowMs());
      }
    }
    await this.#forgetOldKeys(users.map(({ user }) => `${user.owner} ${String(user.version)}`).join('\n'));
  }

  async #provide(name: string, members: SecurityPart): Promise<void> {
    const text = JSON.stringify(members);
    if (this.#provided.get(name) === text) return;
    await this.#options.databases.provide(name, members);
    this.#provided.set(name, text);
    this.#retired.delete(name);
    this.#options.logger.info({ database: name, members: members.names.length }, 'a database was provided');
  }

  async #retire(name: string, beforeMs: number, nowMs: number): Promise<void> {
    const sinceMs = this.#retired.get(name) ?? nowMs;
    this.#retired.set(name, sinceMs);
    if (sinceMs > beforeMs) return;
    await this.#options.databases.drop(name);
    this.#retired.delete(name);
    this.#provided.delete(name);
    this.#options.logger.info({ database: name }, 'a database of former keys was deleted');
  }

  /** A changed passphrase leaves the former wrap in an old revision, which the host need not keep. */
  async #forgetOldKeys(users: string): Promise<void> {
    if (this.#users === users) return;
    await this.#options.databases.compact(NETWORK_DATABASE);
    this.#users = users;
  }
}

/** The present generation, and the next, into which a rotation of keys writes before it is complete. */
function membersByDatabase(
  homes: readonly {
    readonly user: Parameters<typeof userDatabase>[0];
    readonly peer: Parameters<typeof couchUserName>[0];
  }[],
  generations: ReadonlyMap<string, number>,
): ReadonlyMap<string, string[]> {
  const members = new Map<string, string[]>();
  for (const { user, peer } of homes) {
    const generation = generations.get(user);
    if (generation === undefined) continue;
    for (const each of [generation, generation + 1]) {
      const name = userDatabase(user, each);
      members.set(name, [...(members.get(name) ?? []), couchUserName(peer)].sort());
    }
  }
  return members;
}
