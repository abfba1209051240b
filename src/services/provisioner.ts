import { type FormerClock, isAwaited, isExpired } from '../catalog/records/former-generations.js';
import type { HomeRecord } from '../catalog/records/home-record.js';
import type { NetworkDocuments } from '../catalog/records/network-documents.js';
import {
  couchUserName,
  NETWORK_DATABASE,
  parseUserDatabase,
  PEER_ROLE,
  STRIPES_DATABASE,
  userDatabase,
} from '../chunk/database-names.js';
import type { UserId } from '../chunk/ids.js';
import type { BackupDatabases } from '../documents/couch/backup-databases.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import type { SecurityPart } from '../documents/security.js';
import { MAX_PROVISIONED_DATABASES, PROVISION_PAUSE_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { OnChanges } from './on-changes.js';

export interface ProvisionerOptions {
  readonly databases: BackupDatabases;
  /** The network's records, verified. */
  readonly records: Pick<NetworkDocuments, 'homeRecords' | 'users'>;
  /** Their database: its changes say when to look again. */
  readonly network: Pick<DocumentDatabase, 'sequence' | 'changes'>;
  readonly logger: Logger;
  readonly nowMs?: () => number;
  /** See FormerClock. */
  readonly retiredMs?: number;
}

const EVERY_PEER: SecurityPart = { names: [], roles: [PEER_ROLE] };
const NOBODY: SecurityPart = { names: [], roles: [] };

/** Makes the databases of a backup host and says who may use them, as users and the network have signed it. */
export class Provisioner implements AsyncDisposable {
  readonly #options: ProvisionerOptions;
  /** Members of each database, as they were set, in JSON. */
  readonly #provided = new Map<string, string>();
  readonly #sinceMs: number;
  #users = '';
  readonly #running: OnChanges;

  /** Begins at once, and goes on with what changes. */
  constructor(options: ProvisionerOptions) {
    this.#options = options;
    this.#sinceMs = (options.nowMs ?? Date.now)();
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
    const { databases, records, logger } = this.#options;
    await this.#provide(NETWORK_DATABASE, EVERY_PEER);
    await this.#provide(STRIPES_DATABASE, EVERY_PEER);
    const users = await records.users();
    const homes = homesByUser(await records.homeRecords());
    const known = new Map(users.map(({ user: { owner, generation } }) => [owner, generation]));
    let room = MAX_PROVISIONED_DATABASES;
    const provided = new Set<string>();
    for (const [user, generation] of known) {
      const words = homes.get(user) ?? [];
      for (const name of this.#wanted(user, generation, words)) {
        provided.add(name);
        if (--room === 0) logger.warn({ databases: MAX_PROVISIONED_DATABASES }, 'too many users for this backup host');
        if (room > 0) await this.#provide(name, membersOf(words));
      }
    }
    for (const name of await databases.names()) {
      const parsed = parseUserDatabase(name);
      if (parsed === undefined || provided.has(name)) continue;
      const words = homes.get(parsed.user) ?? [];
      const newest = known.get(parsed.user) ?? 0;
      if (parsed.generation >= newest) await this.#provide(name, NOBODY);
      else if (await this.#isOver(parsed, newest, words)) await this.#drop(name);
      else await this.#provide(name, membersOf(words));
    }
    await this.#forgetOldKeys(users.map(({ user }) => `${user.owner} ${String(user.version)}`).join('\n'));
  }

  /**
   * The databases that a user's homes need: of the present generation, and the next, into which a rotation of keys writes
   * before it is complete; of the former one while a home may still have something to push into it.
   */
  #wanted(user: UserId, generation: number, homes: readonly HomeRecord[]): readonly string[] {
    if (homes.every(({ gone }) => gone)) return [];
    const former = generation - 1;
    const isAlsoFormer = former > 0 && isAwaited(homes, former) && !isExpired(homes, former, this.#clock());
    const wanted = [...(isAlsoFormer ? [former] : []), generation, generation + 1];
    return wanted.map((each) => userDatabase(user, each));
  }

  /** Where this host has lost the newest generation, the former one is all that it has. */
  async #isOver(
    { user, generation }: { readonly user: UserId; readonly generation: number },
    newest: number,
    homes: readonly HomeRecord[],
  ): Promise<boolean> {
    if (!isExpired(homes, generation, this.#clock())) return false;
    return this.#options.databases.isFilled(userDatabase(user, newest));
  }

  #clock(): FormerClock {
    const { nowMs = Date.now, retiredMs } = this.#options;
    return { nowMs: nowMs(), sinceMs: this.#sinceMs, ...(retiredMs === undefined ? {} : { retiredMs }) };
  }

  async #provide(name: string, members: SecurityPart): Promise<void> {
    const text = JSON.stringify(members);
    if (this.#provided.get(name) === text) return;
    await this.#options.databases.provide(name, members);
    this.#provided.set(name, text);
    this.#options.logger.info({ database: name, members: members.names.length }, 'a database was provided');
  }

  async #drop(name: string): Promise<void> {
    await this.#options.databases.drop(name);
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

function homesByUser(homes: readonly HomeRecord[]): ReadonlyMap<UserId, readonly HomeRecord[]> {
  const byUser = new Map<UserId, HomeRecord[]>();
  for (const home of homes) byUser.set(home.user, [...(byUser.get(home.user) ?? []), home]);
  return byUser;
}

function membersOf(homes: readonly HomeRecord[]): SecurityPart {
  const names = homes.filter(({ gone }) => !gone).map(({ peer }) => couchUserName(peer));
  return { names: names.sort(), roles: [] };
}
